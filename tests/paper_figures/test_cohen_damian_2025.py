"""The claims on the central flows: they hold on staged data and on the real ones, and each of them can fail."""

import numpy as np
import pytest
import xarray
from paper_cases import verdicts_of

from paper_figures.edge import cohen_damian_2025 as paper
from paper_figures.edge.cohen_damian_2025.judge import closed_form
from paper_figures.edge.cohen_damian_2025.setting import EVERY

verdicts = verdicts_of(paper)
SAMPLES, ONSET = 51, 200
METHODS = {"gradient descent": 9, "scalar RMSProp": 8, "RMSProp": 7}
RATE, BETA2, WARM_UP = 0.1, 0.9, 40


def staged(method: str = "gradient descent") -> xarray.Dataset:
    """What the paper says: the sharpness rises to 2/h at the onset and stays there, the stable flow's rises on."""
    step = EVERY * np.arange(SAMPLES)
    rising = step / ONSET
    critical = step >= ONSET
    top = 2 / RATE * np.stack([np.minimum(rising, 1), np.minimum(rising, 1), rising])
    decay = np.exp(-step / 500)
    sides = ("discrete", "central", "stable")
    local = {"slope": -30.0, "bend": 4e4, "curvature": 30.0, "squared_gradient": 0.01, "scale": 1.5}
    found = xarray.Dataset(
        {
            "loss": (("side", "step"), [decay] * 3),
            "distance": (("flow", "step"), [1e-3 * rising, 2e-2 * rising]),
            "effective_sharpness": (("side", "step"), top),
            "averaged_loss": ("step", decay),
            "averaged_squared_gradient_norm": ("step", np.where(critical, 2.0, 0.1)),
            "predicted_loss": (("flow", "step"), [decay, np.full(SAMPLES, np.nan)]),
            "predicted_squared_gradient_norm": (("flow", "step"), [np.where(critical, 2.0, 0.1)] * 2),
            "predicted_critical": (("flow", "step"), [critical, np.full(SAMPLES, np.nan)]),
            "every_loss": ("every", np.exp(-np.arange(step[-1] + 1) / 500)),
            **{name: (("side", "step"), np.full((3, SAMPLES), value)) for name, value in local.items()},
        },
        coords={"side": list(sides), "flow": list(sides[1:]), "step": step},
        attrs={
            "method": method,
            "learning_rate": RATE,
            "onset": ONSET,
            "beta2": np.nan if method == "gradient descent" else BETA2,
            "warm_up": WARM_UP,
        },
    )
    variance = np.where(critical, closed_form(found), 0.0)
    told = np.stack([variance, 0 * variance], axis=1)
    return found.assign(
        averaged_variance=("step", variance),
        predicted_variance=(("flow", "step", "predicted_variance_index"), [told, np.full_like(told, np.nan)]),
    )


def scaled(data: xarray.Dataset, name: str, factor, **where) -> xarray.Dataset:
    changed = data[name].copy()
    changed.loc[where] = data[name].sel(where) * factor
    return data.assign({name: changed})


@pytest.mark.parametrize(("method", "count"), METHODS.items())
def test_all_claims_hold_on_data_that_do_what_the_paper_says(method, count):
    assert verdicts(staged(method)) == ["holds"] * count


WRONG = {
    "a loss 10 % off": (lambda data: scaled(data, "predicted_loss", 1.1, flow="central"), 0),
    "a central flow of another learning rate": (
        lambda data: scaled(data, "effective_sharpness", 1.05, side="central"),
        1,
    ),
    "iterates that stay below the edge": (lambda data: scaled(data, "effective_sharpness", 0.7, side="discrete"), 2),
    "iterates halfway to the stable flow": (lambda data: scaled(data, "distance", 10, flow="central"), 3),
    "half the variance, for 1/2 in the penalty": (lambda data: scaled(data, "predicted_variance", 0.5), 4),
    "a squared gradient without its oscillation": (
        lambda data: scaled(data, "predicted_squared_gradient_norm", 0.05),
        5,
    ),
    "a stable flow that stays at the edge too": (
        lambda data: scaled(data, "effective_sharpness", 0.2, side="stable"),
        6,
    ),
    "a loss that rises once": (
        lambda data: scaled(data, "loss", 1.2, side="central", step=EVERY * (SAMPLES // 2)),
        7,
    ),
    "a closed form without its factor 2": (lambda data: data.assign(bend=2 * data.bend), 8),
}


@pytest.mark.parametrize(("tampered", "claim"), WRONG.values(), ids=WRONG)
def test_a_claim_fails_on(tampered, claim):
    found = verdicts(tampered(staged()))
    assert found[claim] == "fails"


def test_the_closed_form_with_another_beta2_fails_for_an_adaptive_method():
    found = staged("scalar RMSProp")
    assert verdicts(found.assign_attrs(beta2=0.8))[-1] == "fails"


def test_where_no_direction_is_critical_nothing_is_decided():
    found = staged()
    still = found.assign(
        predicted_critical=0 * found.predicted_critical, predicted_variance=0 * found.predicted_variance
    )
    assert [verdicts(still)[claim] for claim in (1, 8)] == ["undecided"] * 2


def test_every_panel_has_its_axes_named():
    figure = paper.draw([staged(method) for method in METHODS])
    assert len(figure.axes) == 12
    assert all(panel.get_xlabel() and panel.get_ylabel() and panel.get_title() for panel in figure.axes)


@pytest.mark.slow
def test_all_claims_hold_at_the_quick_size(data):
    assert verdicts(data) == ["holds"] * 9
