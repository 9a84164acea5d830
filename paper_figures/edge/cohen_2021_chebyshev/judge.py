"""What the paper says, and what is measured of it."""

import numpy as np
import xarray

from ...frame.claim import Claim
from ...frame.edge_claims import PAPER, flow_goes_on, plateau
from ...frame.edge_runs import FLOW, crossing, ratio

SEVERE = 0.9


def judge(runs: list[xarray.Dataset]) -> list[Claim]:
    """Gradient descent beside gradient flow, and the plateaus of the methods with momentum."""
    descent, mild, severe = _groups(runs)
    because = "the paper's curves stay within 1.0 to 1.05; 5 % more either way for a network of 301 parameters"
    words = {"quantity": "mean sharpness over the last third of the run, over the threshold; spread over runs"}
    return [
        plateau(descent, because=because, source=f"{PAPER}, appendix on Chebyshev polynomials"),
        _together(descent),
        _apart(descent),
        flow_goes_on(descent),
        plateau(
            mild,
            because=because,
            statement="with momentum, b = 0.5, it hovers around (2 + 2b)/h, for Nesterov around (2 + 2b)/((1 + 2b) h)",
            source=f"{PAPER}, appendix on momentum; the task is ours",
            **words,
        ),
        plateau(
            severe,
            because=because,
            statement="with b = 0.9 the sharpness hovers around (2 + 2b)/h too",
            source=f"{PAPER}, appendix on momentum; the task is ours",
            **words,
        ),
    ]


def _groups(runs: list[xarray.Dataset]) -> tuple[list[xarray.Dataset], list[xarray.Dataset], list[xarray.Dataset]]:
    """Gradient descent, momentum below 0.9, momentum from there."""
    momenta = [(run, run.attrs["momentum"]) for run in runs]
    return (
        [run for run, b in momenta if b == 0],
        [run for run, b in momenta if 0 < b < SEVERE],
        [run for run, b in momenta if b >= SEVERE],
    )


def _together(runs: list[xarray.Dataset]) -> Claim:
    found = [(first, np.flatnonzero(ratio(run, FLOW) > 1)) for run in runs if (first := crossing(run))]
    lags = [first / above[0] if above.size else np.nan for first, above in found]
    return Claim(
        statement="until the sharpness reaches 2/h, gradient descent follows gradient flow",
        source=f"{PAPER}, appendix on gradient flow",
        quantity="time at which gradient descent crosses 2/h, over the flow's; the farthest from 1",
        predicted=(0.988, 1.012),
        because="samples are 0.6 % of that time apart; as much again for the discretization error, on both sides",
        measured=max(lags, key=lambda lag: abs(lag - 1), default=np.nan),
    )


def _apart(runs: list[xarray.Dataset]) -> Claim:
    found = [(run.distance.sel(flow=FLOW).values, first) for run in runs if (first := crossing(run))]
    return Claim(
        statement="past 2/h gradient descent leaves gradient flow",
        source=f"{PAPER}, appendix on gradient flow",
        quantity="distance to gradient flow at the end, over that at the crossing; least over degrees",
        predicted=(10.0, np.inf),
        because="a discretization error that grows like the time would grow threefold",
        measured=min((float(row[-1] / row[first]) for row, first in found), default=np.nan),
    )
