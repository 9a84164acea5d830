"""Runs to the edge of stability, as data: a comparison as a dataset, dimensions step and side, without what two runs of
it do not share."""

from collections.abc import Mapping

import numpy as np
import xarray

import comparisons
import landscapes
from comparisons.console.progress_bar import progress_bar
from discrete import Method
from flows import Flow, Integrator
from landscapes import Problem

METHOD, FLOW = "discrete", "gradient"


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
