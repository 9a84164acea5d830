"""Runs to the edge of stability: their data, what Cohen et al. 2021 say of every network, and the picture of it.

A run is a comparison as a dataset, dimensions step and side, without what two runs of it do not share. Where several
learning rates stand together, the last one is the control, which never gets to its threshold.
"""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray
from matplotlib.figure import Figure

import comparisons
import landscapes
from comparisons.console.progress_bar import progress_bar
from comparisons.plot import COLOURS, DASHES, STYLE
from discrete import Method
from flows import Flow, Integrator
from landscapes import Problem

from .claim import Claim

PAPER = "Cohen et al. 2021"
METHOD, FLOW = "discrete", "gradient"
WINDOWS = 3
HOVERS = {
    "statement": "the sharpness rises until it reaches 2/h and then hovers just above, or around, that value",
    "source": f"{PAPER}, section 3.2",
    "quantity": "mean sharpness over the last third of the run, times h/2; spread over runs",
}


def edge_run(
    method: Method,
    models: Mapping[str, Flow],
    problem: Problem,
    *,
    steps: int,
    every: int,
    title: str,
    tolerance: float | None = None,
    integrator: Integrator | None = None,
) -> xarray.Dataset:
    """Loss and sharpness of a method and of its flows, the distances, and the attribute `threshold`.

    tolerance: of the sharpness.
    """
    observe = {"sharpness": landscapes.Sharpness(problem.loss, k=1, tolerance=tolerance)}
    with progress_bar(title=title) as show:
        run = comparisons.compare(
            method, models, problem, steps=steps, every=every, observe=observe, integrator=integrator, progress=show
        )
    found = run.to_dataset()
    # The other attributes hold seconds, dates and versions.
    found.attrs = {name: found.attrs[name] for name in ("problem", "method", "threshold", "statuses")}
    # A dimension of length zero would come back from disk without end.
    found = found if models else found.drop_dims("flow")
    return found.assign_attrs(learning_rate=float(method.learning_rate))


def values(run: xarray.Dataset, name: str, side: str = METHOD) -> np.ndarray:
    """Loss, time or top eigenvalue of a side, up to where it stopped."""
    found = run[name].sel(side=side)
    found = found.isel(sharpness_index=0) if "sharpness_index" in found.dims else found
    return found.values[: int(run.samples.sel(side=side))]


def ratio(run: xarray.Dataset, side: str = METHOD) -> np.ndarray:
    """Sharpness over the threshold of the method."""
    return values(run, "sharpness", side) / run.attrs["threshold"]


def crossing(run: xarray.Dataset) -> int | None:
    """The first sample at which the method's sharpness exceeds its threshold."""
    above = np.flatnonzero(ratio(run) > 1)
    return int(above[0]) if above.size else None


def has_flow(run: xarray.Dataset) -> bool:
    """Whether gradient flow ran beside the method."""
    return FLOW in run.side.values


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


def draw_runs(runs: list[xarray.Dataset]) -> Figure:
    """Loss, sharpness with the thresholds 2/h, and distance to gradient flow, against time h n."""
    with plt.style.context(STYLE):
        figure, panels = plt.subplots(1, 3, figsize=(6.8, 2.4), layout="constrained")
        loss, sharpness, distance = panels
        beside = next(run for run in reversed(runs) if has_flow(run))
        for panel, name in ((loss, "loss"), (sharpness, "sharpness")):
            path = values(beside, "time", FLOW), values(beside, name, FLOW)
            panel.plot(*path, color="black", linewidth=0.9, label="gradient flow")
        for run, colour, dashes in zip(runs, COLOURS, DASHES, strict=False):
            _draw_run(run, panels, {"color": colour, "linestyle": dashes, "linewidth": 1.0})
        loss.set(title="(a) training loss", ylabel=r"$L$", yscale="log")
        sharpness.set(title="(b) sharpness, thresholds $2/h$", ylabel=r"$\lambda_{\max}(\nabla^2 L)$")
        distance.set(title="(c) distance to gradient flow", ylabel=r"$|X(t_n) - x_n|$", yscale="log")
        for panel in panels:
            panel.set_xlabel("time $t = h n$")
            panel.set_xlim(0, values(beside, "time")[-1])
        handles, labels = sharpness.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


def _draw_run(run: xarray.Dataset, panels: Any, style: dict[str, Any]) -> None:
    loss, sharpness, distance = panels
    times, first = values(run, "time"), crossing(run)
    label = f"gradient descent, $h = {run.attrs['learning_rate']:.3g}$"
    loss.plot(times, values(run, "loss"), **style)
    sharpness.plot(times, values(run, "sharpness"), label=label, **style)
    if has_flow(run):
        distance.plot(times[1:], run.distance.sel(flow=FLOW)[1:], **style)
    if first is not None:
        sharpness.axhline(run.attrs["threshold"], color=style["color"], linewidth=0.6, linestyle=":")
        for panel in (sharpness, distance) if has_flow(run) else (sharpness,):
            panel.axvline(times[first], color=style["color"], linewidth=0.6, alpha=0.5)
