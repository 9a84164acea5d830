"""The runs behind the figure."""

from pathlib import Path

import xarray

import discrete
import flows
import landscapes

from ...frame.edge_runs import FLOW, edge_run
from ...frame.stored import stored
from .setting import (
    DURATION,
    EXAMPLES,
    GAIN,
    LEARNING_RATES,
    QUICK_DURATION,
    QUICK_EXAMPLES,
    QUICK_LEARNING_RATES,
    QUICK_SAMPLES,
    SAMPLES,
    SHARPNESS_TOLERANCE,
)


def missing(*, quick: bool) -> str | None:
    """Why nothing can be computed here: the files of CIFAR-10 are not given, or are too few; None where it can be."""
    try:
        landscapes.cifar10_mlp(widths=(1,), examples=QUICK_EXAMPLES if quick else EXAMPLES, in_span=False)
    except ValueError as error:
        return str(error)
    return None


def compute(folder: Path, *, quick: bool) -> list[Path]:
    """One netCDF file for each learning rate, written when its run is whole; ValueError where there are no data."""
    rates = QUICK_LEARNING_RATES if quick else LEARNING_RATES
    return [
        path
        for rate in rates
        for path in stored(
            folder,
            f"cohen_2021_cifar10_h{rate:.3f}",
            quick=quick,
            # Gradient flow is the same for all: it runs beside the first, and beside the control.
            computed=lambda: _run(rate, quick=quick, beside=rate in (rates[0], rates[-1])),
        )
    ]


def _run(rate: float, *, quick: bool, beside: bool) -> xarray.Dataset:
    duration, examples = (QUICK_DURATION, QUICK_EXAMPLES) if quick else (DURATION, EXAMPLES)
    problem = landscapes.cifar10_mlp(examples=examples, gain=GAIN)
    method = discrete.GradientDescent(rate)
    every = max(1, round(duration / rate / (QUICK_SAMPLES if quick else SAMPLES)))
    return edge_run(
        method,
        {FLOW: flows.GradientFlow(method)} if beside else {},
        problem,
        steps=round(duration / rate / every) * every,
        every=every,
        title=f"h = {rate}: ",
        tolerance=SHARPNESS_TOLERANCE,
        integrator=flows.explicit(rtol=1e-6, atol=1e-9),
    )
