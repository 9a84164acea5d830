"""The runs behind the figure."""

from pathlib import Path
from typing import Any

import numpy as np
import xarray

import comparisons
import landscapes

from ...frame.stored import stored
from .setting import DURATION, KINDS, MODELS, MOMENTUM, QUICK_RATES, RATES, SAMPLES, SHOWN


def compute(folder: Path, *, quick: bool) -> list[Path]:
    """One netCDF file: distances of every model at every learning rate, and its work for each step of the method."""
    return stored(folder, "momentum_models", quick=quick, computed=lambda: _computed(QUICK_RATES if quick else RATES))


def _computed(rates: tuple[float, ...]) -> xarray.Dataset:
    problem = landscapes.logistic_digits()
    sizes = (len(KINDS), len(MODELS), len(rates))
    settled, gradients, products = np.zeros(sizes), np.zeros(sizes), np.zeros(sizes)
    found: dict[str, Any] = {}
    for i, (kind, make) in enumerate(KINDS.items()):
        for k, rate in enumerate(rates):
            method, steps = make(rate, MOMENTUM), round(DURATION / rate)
            models = {name: model(method) for name, model in MODELS.items()}
            # The same number of samples at every learning rate is one compiled program.
            run = comparisons.compare(method, models, problem, steps=steps, every=steps // SAMPLES)
            for j, name in enumerate(MODELS):
                distance, cost = run.divergence[name].distance, run.flows[name].cost
                settled[i, j, k] = distance[run.steps * rate >= DURATION / 2].max()
                # The default solver is explicit and says what it spent.
                assert cost.gradients is not None and cost.hessian_products is not None
                gradients[i, j, k], products[i, j, k] = cost.gradients / steps, cost.hessian_products / steps
                if rate == SHOWN:
                    found[f"distance, {kind}, {name}"] = ("sample", distance)
    dims = ("kind", "model", "rate")
    found["error"] = (dims, settled, {"long_name": f"largest distance from time {DURATION / 2} to {DURATION}"})
    found["gradients"] = (dims, gradients, {"long_name": "gradients for each step of the method"})
    found["products"] = (dims, products, {"long_name": "Hessian products for each step of the method"})
    return xarray.Dataset(found, coords={"kind": list(KINDS), "model": list(MODELS), "rate": list(rates)})
