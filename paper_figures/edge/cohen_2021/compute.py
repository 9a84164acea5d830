"""The runs behind the figure."""

from pathlib import Path

import xarray

import discrete
import flows
import landscapes

from ...frame.edge_runs import FLOW, edge_run
from ...frame.stored import stored
from .setting import DURATION, LEARNING_RATES, QUICK_DURATION, QUICK_LEARNING_RATES, QUICK_SAMPLES, SAMPLES


def compute(folder: Path, *, quick: bool) -> list[Path]:
    """One netCDF file for each learning rate, written when its run is whole."""
    return [
        path
        for rate in (QUICK_LEARNING_RATES if quick else LEARNING_RATES)
        for path in stored(folder, f"cohen_2021_h{rate:.3f}", quick=quick, computed=lambda: _run(rate, quick))
    ]


def _run(rate: float, quick: bool) -> xarray.Dataset:
    duration, samples = (QUICK_DURATION, QUICK_SAMPLES) if quick else (DURATION, SAMPLES)
    method = discrete.GradientDescent(rate)
    every = max(1, round(duration / rate / samples))
    steps = round(duration / rate / every) * every
    models = {FLOW: flows.GradientFlow(method)}
    return edge_run(method, models, landscapes.digits_mlp(), steps=steps, every=every, title=f"h = {rate}: ")
