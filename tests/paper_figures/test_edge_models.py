"""The scorecard of models past the edge: its claims hold on the real data, and each of them can fail."""

import pytest
from paper_cases import verdicts_of

from paper_figures.edge import edge_models as paper

pytestmark = pytest.mark.slow
verdicts = verdicts_of(paper)


def test_all_claims_hold_at_the_quick_size(data):
    assert verdicts(data) == ["holds"] * 8


def scaled(data, name: str, factor: float, **where):
    changed = data[name].copy()
    changed.loc[where] = data[name].sel(where) * factor
    return data.assign({name: changed})


WRONG = {
    "a loss twice as far off": (lambda data: scaled(data, "loss_error", 2, model="central"), 0),
    "a sharpness 2 % above the edge": (lambda data: scaled(data, "sharpness", 1.02, side="central"), 1),
    "a residual": (lambda data: data.assign(predicted_residual=data.predicted_residual + 1e-6), 2),
    "a central flow as far as gradient flow": (lambda data: scaled(data, "final_distance", 12, model="central"), 3),
    "a drift of order 1": (
        lambda data: scaled(data, "relative_distance", 100, flow="central, modified drift"),
        4,
    ),
    "an edge flow as far as the central flow": (
        lambda data: scaled(data, "final_distance", 10, model="edge, order 2"),
        5,
    ),
    "a sharpness that does not ring": (lambda data: scaled(data, "sharpness_spread", 0.1, model="edge, order 2"), 6),
    "a sharpness that does not overshoot": (lambda data: data.assign(sharpness_peak=data.sharpness_peak - 0.14), 7),
}


@pytest.mark.parametrize(("tampered", "claim"), WRONG.values(), ids=WRONG)
def test_a_claim_fails_on(data, tampered, claim):
    assert verdicts(tampered(data))[claim] == "fails"


def test_every_panel_has_its_axes_named(data):
    figure = paper.draw([data])
    assert all(panel.get_xlabel() and panel.get_ylabel() and panel.get_title() for panel in figure.axes)
