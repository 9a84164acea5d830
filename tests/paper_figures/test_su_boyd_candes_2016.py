"""The claims on Su, Boyd and Candes 2016: they hold on the real data, and each of them can fail."""

import numpy as np
import pytest
from paper_cases import verdicts_of

from paper_figures.momentum import su_boyd_candes_2016 as paper

pytestmark = pytest.mark.slow
verdicts = verdicts_of(paper)


def test_all_claims_hold_at_the_quick_size(data):
    assert verdicts(data) == ["holds"] * 9


def rising(data):
    return data.assign(energy=data.energy[:, ::-1])


def falling_below_three(data):
    energy = data.energy.copy()
    energy.loc[{"r": 2.0}] = data.energy.sel(r=3.0)
    return data.assign(energy=energy)


WRONG = {
    "an energy that rises": (rising, 0),
    "an energy that falls for r = 2 as well": (falling_below_three, 1),
    "a loss above the bound": (lambda data: data.assign(gap=data.gap * 10), 2),
    "an integral above its bound": (lambda data: data.assign(gap=data.gap * 20), 3),
    "errors of order 2": (lambda data: data.assign(error=data.error**2), 4),
    "a rate that fades": (
        lambda data: data.assign(flow_restarted_loss=("fine", np.exp(-(np.arange(data.sizes["fine"]) ** 0.5)))),
        7,
    ),
    "a method at another rate": (lambda data: data.assign(method_restarted_loss=data.method_restarted_loss**2), 8),
}


@pytest.mark.parametrize(("tampered", "claim"), WRONG.values(), ids=WRONG)
def test_a_claim_fails_on(data, tampered, claim):
    assert verdicts(tampered(data))[claim] == "fails"


def test_restarts_at_every_sample_fail_both_claims_on_pieces(data):
    speed = np.arange(data.sizes["fine"]) % 2
    stalled = data.assign(
        flow_restarted_speed=("fine", speed), flow_restarted_loss=("fine", np.exp(-1e-6 * np.arange(len(speed))))
    )
    assert verdicts(stalled)[5:7] == ["fails", "fails"]


def test_restarting_keeps_the_rate_that_the_equation_without_it_loses(data):
    late = slice(data.sizes["fine"] // 2, None)
    plain, restarted = (np.ptp(np.log(data[f"flow_{name}_loss"].values[late])) for name in ("plain", "restarted"))
    assert restarted > 1.5 * plain


def test_every_panel_has_its_axes_named(data):
    figure = paper.draw([data])
    assert all(panel.get_xlabel() and panel.get_ylabel() and panel.get_title() for panel in figure.axes)
