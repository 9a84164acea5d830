"""The claims on Rosca et al. 2023: they hold on staged data and on the real ones, and each of them can fail."""

import numpy as np
import pytest
import xarray
from paper_cases import verdicts_of

from paper_figures.discretization import rosca_2023 as paper
from paper_figures.discretization.rosca_2023.setting import DETAIL, FLOWS, SAMPLES, SMOOTH, WARM_UP, Z

verdicts = verdicts_of(paper)
GROWTH = 0.2
SEED = 1e-17


def staged() -> xarray.Dataset:
    """What the paper says, in closed form."""
    z = np.stack([np.array(Z), np.array(Z) / 100], axis=1)
    start, n = np.array(paper.setting.START), np.arange(SAMPLES + 1)[:, None]
    iterates = (1 - z[:, None]) ** n * start
    smooth = [np.exp(-n * sum(z[:, None] ** k / k for k in range(1, p + 1))) * start for p in SMOOTH.values()]
    with np.errstate(divide="ignore"):
        coefficient = np.log(np.abs(1 - z)) / z
    rates = np.array([0.04, 0.02, 0.01])
    errors = np.array([rates, 5 * rates**2, 9 * rates**3, rates**2])
    steps = np.arange(WARM_UP + DETAIL + 1)
    sharpness = np.interp(steps, [0, 300, WARM_UP + DETAIL], [0.6, 2.0, 2.6])
    swing = SEED * np.exp(np.cumsum(np.where(sharpness > 2, np.log(np.abs(1 - sharpness)), 0.0)))
    detail = steps[WARM_UP + 1 : -1]
    window = steps[::15]
    left = steps[swing > 1e-3][0]
    apart = np.array([[0.5, 0.4, 0.4, 0.1] if n > left else [1e-2, 1e-3, 1e-4, 1e-3] for n in window])
    start_z = np.geomspace(0.1, 2, 9)
    first = np.stack([0.3 * start_z, 0.1 * start_z**2, 0.1 * start_z**3, 0.05 * start_z**2], axis=1)
    away = np.array([1.1, 0.3, 0.2, 0.1, 1.1])[:, None] ** np.arange(SAMPLES + 1)
    return xarray.Dataset(
        {
            "iterates": (("z", "step", "component"), iterates),
            "path": (("z", "flow", "step", "component"), np.stack([*smooth, iterates], axis=1)),
            "distance": (("z", "flow", "step"), np.zeros((len(Z), len(FLOWS), SAMPLES + 1))),
            "curvature": (("z", "component"), z),
            "coefficient": (("z", "component"), coefficient),
            "error": (("flow", "rate"), errors),
            "predicted_error": ("left_out", [5 * rates[-1] ** 2, rates[-1] ** 2]),
            "from_minimum": (("side", "step"), away),
            "sharpness": ("network_step", sharpness),
            "swing": ("detail_step", swing[detail]),
            "stride": ("detail_step", np.full(len(detail), 1e-2)),
            "amplification": ("detail_step", 1 - sharpness[detail]),
            "apart": (("window", "flow", "later"), apart[:, :, None]),
            "apart_from_start": (("start_z", "flow", "later"), first[:, :, None]),
        },
        coords={
            "z": list(Z),
            "flow": list(FLOWS),
            "rate": rates,
            "network_step": steps,
            "detail_step": detail,
            "window": window,
            "start_z": start_z,
        },
    )


def replaced(data: xarray.Dataset, name: str, value, **where) -> xarray.Dataset:
    changed = data[name].copy()
    changed.loc[where] = value
    return data.assign({name: changed})


def test_all_claims_hold_on_data_that_do_what_the_paper_says():
    assert verdicts(staged()) == ["holds"] * 12


def swapped_at_the_edge(data: xarray.Dataset) -> xarray.Dataset:
    return replaced(data, "apart", data.apart.sel(flow="order 3").values, flow="principal")


WRONG = {
    "a principal flow of another learning rate": (
        lambda data: replaced(data, "distance", 1e-6, flow="principal", z=1.8),
        0,
    ),
    "a real flow that oscillates": (
        lambda data: replaced(data, "path", data.path.sel(flow="principal").values, flow="order 2"),
        1,
    ),
    "a coefficient of another learning rate": (lambda data: data.assign_coords(z=1.05 * data.z), 2),
    "log(1 - h l/2) for log(1 - h l)": (lambda data: data.assign(coefficient=data.coefficient / 2), 3),
    "errors of order 3": (lambda data: replaced(data, "error", data.rate.values**3, flow="principal"), 4),
    "1/3 for 1/12 in the term left out": (
        lambda data: replaced(data, "error", 4 * data.rate.values**2, flow="principal"),
        5,
    ),
    "a flow that falls into the minimum": (
        lambda data: data.assign(from_minimum=data.from_minimum[[0, 1, 2, 3, 3]].variable),
        6,
    ),
    "a gradient flow that leaves it": (
        lambda data: data.assign(from_minimum=data.from_minimum[[0, 0, 2, 3, 4]].variable),
        6,
    ),
    "a principal flow that is better on the slow course": (
        lambda data: replaced(data, "apart", 1e-4, flow="principal"),
        7,
    ),
    "a sharpness 5 % too small": (lambda data: data.assign(sharpness=0.95 * data.sharpness), 8),
    "a gradient that goes on alternating at h l = 2": (
        lambda data: data.assign(amplification=0 * data.amplification - 1),
        9,
    ),
    "a principal flow as far as the flow of order 3 at the edge": (swapped_at_the_edge, 10),
    "a first step no better than order 2": (
        lambda data: replaced(
            data, "apart_from_start", 1.1 * data.apart_from_start.sel(flow="order 2"), flow="principal"
        ),
        11,
    ),
}


@pytest.mark.parametrize(("tampered", "claim"), WRONG.values(), ids=WRONG)
def test_a_claim_fails_on(tampered, claim):
    assert verdicts(tampered(staged()))[claim] == "fails"


def test_every_panel_has_its_axes_named():
    figure = paper.draw([staged()])
    panels = [panel for panel in figure.axes if panel.get_title()]
    assert len(panels) == 6 and all(panel.get_xlabel() and panel.get_ylabel() for panel in panels)


@pytest.mark.slow
def test_all_claims_hold_at_the_quick_size(data):
    assert verdicts(data) == ["holds"] * 12
