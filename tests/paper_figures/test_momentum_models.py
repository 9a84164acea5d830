"""The comparison of all momentum models: its claims hold on the real data, and each of them can fail."""

import pytest
from paper_cases import part_of, verdicts_of

from paper_figures.momentum import momentum_models as paper

pytestmark = pytest.mark.slow
verdicts = verdicts_of(paper)


def test_all_claims_hold_at_the_quick_size(data):
    assert verdicts(data) == ["holds"] * 5


@pytest.mark.parametrize(("model", "claim"), [(model, i) for i, model in enumerate(part_of(paper, "judge").CLAIMED)])
def test_errors_of_another_order_fail_the_claim_on_that_model(data, model, claim):
    wrong = data.error.copy()
    wrong.loc[{"model": model}] = data.error.sel(model=model) ** 1.5
    assert verdicts(data.assign(error=wrong))[claim] == "fails"


def test_work_is_counted_for_every_model(data):
    assert bool((data.gradients > 0.5).all())
    assert bool((data.products.sel(model="modified, order 4") > 1).all())
    assert not data.products.sel(model="Polyak").any()


def test_every_panel_has_its_axes_named(data):
    figure = paper.draw([data])
    assert all(panel.get_xlabel() and panel.get_ylabel() and panel.get_title() for panel in figure.axes)
