"""The claims on Kovachki and Stuart 2021: they hold on the real data, and each of them can fail."""

import numpy as np
import pytest
from paper_cases import verdicts_of

from paper_figures.momentum import kovachki_stuart_2021 as paper

pytestmark = pytest.mark.slow
verdicts = verdicts_of(paper)


def test_all_claims_hold_at_the_quick_size(data):
    assert verdicts(data) == ["holds"] * 6


@pytest.mark.parametrize(
    ("model", "claim"), [(model, i) for i, model in enumerate(("gradient flow", "published", "corrected", "manifold"))]
)
def test_errors_of_another_order_fail_the_claim_on_that_model(data, model, claim):
    wrong = data.error.copy()
    wrong.loc[{"model": model}] = data.error.sel(model=model) ** 1.4
    assert verdicts(data.assign(error=wrong))[claim] == "fails"


def test_a_sign_that_did_not_matter_fails_its_claim(data):
    wrong = data.error.copy()
    wrong.loc[{"model": "other sign"}] = data.error.sel(model="manifold")
    assert verdicts(data.assign(error=wrong))[4] == "fails"


def test_an_attraction_at_another_rate_fails_the_last_claim(data):
    assert verdicts(data.assign(deviation=data.deviation**0.9))[5] == "fails"


def test_the_corrected_start_is_nearer_than_the_published_one_at_every_step_size(data):
    gain = data.error.sel(model="published") / data.error.sel(model="corrected")
    assert np.all(gain > 5)


def test_every_panel_has_its_axes_named(data):
    figure = paper.draw([data])
    assert all(panel.get_xlabel() and panel.get_ylabel() and panel.get_title() for panel in figure.axes)
