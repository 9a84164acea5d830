"""What Cohen et al. 2021 say of every network that gets to the edge of stability.

Where several learning rates stand together, the last one is the control, which never gets to its threshold.
"""

import numpy as np
import xarray

from .claim import Claim
from .edge_runs import FLOW, crossing, has_flow, ratio, values

PAPER = "Cohen et al. 2021"


WINDOWS = 3


HOVERS = {
    "statement": "the sharpness rises until it reaches 2/h and then hovers just above, or around, that value",
    "source": f"{PAPER}, section 3.2",
    "quantity": "mean sharpness over the last third of the run, times h/2; spread over runs",
}


def edge_claims(runs: list[xarray.Dataset], *, because: str) -> list[Claim]:
    """All of them, of several learning rates and a control; because: why the plateau may lie between 0.95 and 1.10."""
    *tried, control = runs
    largest = max(tried, key=lambda run: run.attrs["learning_rate"])
    return [
        plateau(tried, because=because),
        flow_goes_on([largest]),
        _parting([run for run in tried if has_flow(run)], control),
        *_descent(tried),
    ]


def plateau(runs: list[xarray.Dataset], *, because: str, **words: str) -> Claim:
    """Mean and half the spread over the runs that cross; words: what is said otherwise than of gradient descent."""
    found = [ratio(run) for run in runs if crossing(run) is not None]
    means = [float(row[-len(row) // 3 :].mean()) for row in found]
    return Claim(
        **(HOVERS | words),
        predicted=(0.95, 1.10),
        because=because,
        measured=float(np.mean(means)) if means else np.nan,
        uncertainty=float(np.ptp(means) / 2) if means else 0.0,
    )


def flow_goes_on(runs: list[xarray.Dataset]) -> Claim:
    """Progressive sharpening does not end at the threshold."""
    ends = [float(found[-1]) for run in runs if len(found := ratio(run, FLOW))]
    return Claim(
        statement="along gradient flow the sharpness goes on rising, past the 2/h at which gradient descent stops",
        source=f"{PAPER}, section 3.1",
        quantity=f"final sharpness of gradient flow, times h/2; least of {len(runs)} at the largest h",
        predicted=(1.10, np.inf),
        because="1.10 is where the plateau of gradient descent ends by the first claim",
        measured=min(ends, default=np.nan),
    )


def _parting(runs: list[xarray.Dataset], control: xarray.Dataset) -> Claim:
    ratios = [_growth(run, control, first) for run in runs if (first := crossing(run))]
    return Claim(
        statement="gradient descent follows gradient flow until the sharpness reaches 2/h, and then leaves it",
        source=f"{PAPER}, section 3.2 and the appendix on gradient flow",
        quantity="growth of the distance to gradient flow from the crossing on, over that of the control; least over h",
        predicted=(2.0, np.inf),
        because="two discretization errors stay in proportion, ratio 1; growing twice as much is a departure",
        measured=float(np.min(ratios)) if ratios else np.nan,
    )


def _growth(run: xarray.Dataset, control: xarray.Dataset, first: int) -> float:
    """Distance at the end over distance at the crossing, divided by the same for the control at the same times.

    NaN where a flow stopped early.
    """
    distance, expected = (one.distance.sel(flow=FLOW).values for one in (run, control))
    expected = np.interp(values(run, "time"), values(control, "time"), expected)
    return float(distance[-1] / distance[first] / (expected[-1] / expected[first]))


def _descent(runs: list[xarray.Dataset]) -> list[Claim]:
    """The loss before the crossing, after it, and over long times."""
    found = [(values(run, "loss"), first) for run in runs if (first := crossing(run))]
    return [
        Claim(
            statement="below 2/h the training loss falls monotonically",
            source=f"{PAPER}, section 3.2",
            quantity="share of samples before the crossing with more loss than the one before; largest over h",
            predicted=(0.0, 0.0),
            because="the descent lemma knows no exception",
            measured=max((_rising(loss[:first]) for loss, first in found), default=np.nan),
        ),
        Claim(
            statement="at the edge of stability the training loss is not monotone over short times",
            source=f"{PAPER}, section 3.2",
            quantity="share of samples after the crossing with more loss than the one before; least over h",
            predicted=(0.05, 1.0),
            because="one sample in twenty, where before the crossing there is none",
            measured=min((_rising(loss[first:]) for loss, first in found), default=np.nan),
        ),
        Claim(
            statement="at the edge of stability the loss decreases consistently over long times",
            source=f"{PAPER}, section 3.2",
            quantity="largest ratio of mean losses in successive thirds of the time after the crossing, over all h",
            predicted=(0.0, 1.0),
            because="every third has less loss than the one before",
            measured=max((_slowest_fall(loss[first:]) for loss, first in found), default=np.nan),
        ),
    ]


def _rising(loss: np.ndarray) -> float:
    return float(np.mean(np.diff(loss) > 0)) if len(loss) > 1 else np.nan


def _slowest_fall(loss: np.ndarray) -> float:
    means = np.array([part.mean() for part in np.array_split(loss, WINDOWS)])
    return float(np.max(means[1:] / means[:-1]))
