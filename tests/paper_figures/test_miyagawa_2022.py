"""The claims on Miyagawa 2022: they hold on staged data and on the real ones, and each of them can fail."""

import numpy as np
import pytest
import xarray
from paper_cases import verdicts_of

from paper_figures.discretization import miyagawa_2022 as paper
from paper_figures.discretization.miyagawa_2022.setting import DECAY, TORQUE_DECAY

verdicts = verdicts_of(paper)
H, T = 0.2, 4.0


def staged() -> xarray.Dataset:
    """What the paper says, in closed form: |g| = 1 without decay, equilibria from |w| = 1."""
    rates, time, n = np.array([0.2, 0.1, 0.05]), np.linspace(0, T, 21), np.arange(21)
    orders = np.stack([0.1 * rates, 0.1 * rates**2, 0.1 * rates**3])
    length = np.array([[1 + H * time, 1 + 0 * time, 1 + H * time, 1 + H * time], np.ones((4, 21))])
    pull = np.ones((2, 4, 21))
    pull[1] *= (1 - (1 - H * DECAY) ** 2) / H**2
    speeds = [-np.log(1 - H * DECAY) / H, DECAY, DECAY + H * DECAY**2 / 2, DECAY + H * DECAY**2 / 2]
    total = [np.ones((4, 21)), np.exp(-np.outer(speeds, time))]
    torque_time = np.linspace(0, 20, 101)
    torque = []
    for h in (0.2, 0.1):
        rest = [h / (TORQUE_DECAY * (2 + sign * h * TORQUE_DECAY)) for sign in (-1, 1)]
        gone = np.exp(-2 * TORQUE_DECAY * (2 + h * TORQUE_DECAY) * torque_time)
        torque.append([np.sqrt(r + (1 - r) * gone) for r in rest])
    return xarray.Dataset(
        {
            "error": (("decay", "counter_terms", "rate"), [orders, orders]),
            "norm_error": (("decay", "counter_terms", "rate"), [orders, orders]),
            "total_error": (("decay", "counter_terms", "rate"), [orders, orders]),
            "corrected_error": (("decay", "rate"), [0.2 * rates**2] * 2),
            "gap": (("decay", "sample"), [0.1 * time] * 2),
            "leading_error": (("decay", "sample"), [0.1 * time] * 2),
            "squared_length": (("decay", "side", "sample"), length),
            "squared_gradient": (("decay", "side", "sample"), pull),
            "total": (("decay", "side", "sample"), total),
            "torque_length": (("torque_rate", "torque_side", "torque_sample"), torque),
            "time": ("sample", H * n),
            "torque_time": ("torque_sample", torque_time),
        },
        coords={"decay": [0.0, DECAY], "counter_terms": [0, 1, 2], "rate": rates, "torque_rate": [0.2, 0.1]},
    )


def scaled(data: xarray.Dataset, name: str, power: float, **where) -> xarray.Dataset:
    """With some of it to a power."""
    changed = data[name].copy()
    changed.loc[where] = data[name].sel(where) ** power
    return data.assign({name: changed})


def with_side(data: xarray.Dataset, name: str, side: int, values) -> xarray.Dataset:
    changed = data[name].copy()
    changed[:, side] = values
    return data.assign({name: changed})


def test_all_claims_hold_on_data_that_do_what_the_paper_says():
    assert verdicts(staged()) == ["holds"] * 12


def flow_for_motion(data: xarray.Dataset) -> xarray.Dataset:
    return with_side(data, "squared_length", 2, data.squared_length[:, 1].values)


def descent_for_motion(data: xarray.Dataset) -> xarray.Dataset:
    changed = data.torque_length.copy()
    changed[:, 1] = data.torque_length[:, 0]
    return data.assign(torque_length=changed)


WRONG = {
    "a prediction of the other sign": (lambda data: data.assign(corrected_error=2 * data.error[:, 0]), 0),
    "errors of another order": (lambda data: scaled(data, "error", 1.3, counter_terms=1), 1),
    "a gradient flow that grows": (
        lambda data: with_side(data, "squared_length", 1, data.squared_length[:, 2].values),
        2,
    ),
    "h for h^2 in the law": (lambda data: data.assign(squared_gradient=data.squared_gradient / H), 3),
    "an equation of motion that conserves |w|": (flow_for_motion, 4),
    "a length of order 1 with the counter term": (lambda data: scaled(data, "norm_error", 0.5, counter_terms=1), 5),
    "weight decay of another size": (lambda data: data.assign(torque_length=1.01 * data.torque_length), 6),
    "the equilibrium of gradient descent for that of the equation": (descent_for_motion, 7),
    "a relaxation at the rate 4 wd": (lambda data: data.assign(torque_time=1.05 * data.torque_time), 8),
    "a sum that moves": (lambda data: with_side(data, "total", 3, data.total[:, 3].values + 1e-9), 9),
    "the rate of gradient flow for that of the equation": (
        lambda data: with_side(data, "total", 2, data.total[:, 1].values),
        10,
    ),
    "a sum of order 1 with the counter term": (lambda data: scaled(data, "total_error", 0.5, counter_terms=1), 11),
}


@pytest.mark.parametrize(("tampered", "claim"), WRONG.values(), ids=WRONG)
def test_a_claim_fails_on(tampered, claim):
    assert verdicts(tampered(staged()))[claim] == "fails"


def test_every_panel_has_its_axes_named():
    figure = paper.draw([staged()])
    assert all(panel.get_xlabel() and panel.get_ylabel() and panel.get_title() for panel in figure.axes)


@pytest.mark.slow
def test_all_claims_hold_at_the_quick_size(data):
    assert verdicts(data) == ["holds"] * 12
