"""The runs behind the figure."""

from pathlib import Path
from typing import Any

import numpy as np
import xarray

import comparisons
import discrete
import flows
import landscapes
from flows.flow import momentum_of
from flows.momentum.kovachki_stuart import look_ahead_of
from landscapes import Loss, Params

from ...frame.stored import stored
from .setting import (
    ATTRACTED,
    CONDITION,
    DURATION,
    KINDS,
    MODELS,
    MOMENTUM,
    ORDER_DURATION,
    ORDER_MOMENTUM,
    ORDER_RATES,
    PLANE_RATES,
    QUICK_ORDER_RATES,
    SECOND_RATES,
    SETTLED,
)


class OtherSign(flows.InvariantManifold):
    """The flow of the potential with + 1/2 for - 1/2, to show that the sign matters."""

    def vector_field(self, loss: Loss, t: Any, state: Params) -> Params:
        h, lb = self.method.learning_rate, 1 / (1 - momentum_of(self.method))
        return self._along(loss, state, h * lb * (lb - look_ahead_of(self.method) + 0.5))


def compute(folder: Path, *, quick: bool) -> list[Path]:
    """One netCDF file: phase planes, errors of the models against h, and the approach to the manifold."""
    return stored(
        folder,
        "kovachki_stuart_2021",
        quick=quick,
        computed=lambda: _computed(QUICK_ORDER_RATES if quick else ORDER_RATES),
    )


def _computed(rates: tuple[float, ...]) -> xarray.Dataset:
    found: dict[str, Any] = {}
    for kind, make in KINDS.items():
        for h in dict.fromkeys(PLANE_RATES + SECOND_RATES):
            found |= _plane(kind, make(h, MOMENTUM))
    orders = [[_order_of(make, model, rates) for model in MODELS] for make in KINDS.values()]
    # What could not be used is no data.
    errors = [[np.where(order.used, order.errors, np.nan) for order in row] for row in orders]
    found["error"] = (("kind", "model", "rate"), errors, {"long_name": "largest distance from time 0.25 to 0.5"})
    found["deviation"] = (("kind", "step"), [_deviation(make) for make in KINDS.values()])
    return xarray.Dataset(
        found, coords={"kind": list(KINDS), "model": list(MODELS), "rate": orders[0][0].learning_rates}
    )


def _bowl() -> landscapes.Problem:
    return landscapes.quadratic(eigenvalues=(1.0, CONDITION), rotate=False)


def _plane(kind: str, method: discrete.HeavyBall | discrete.Nesterov) -> dict[str, Any]:
    """Paths of the method and of two of its models."""
    problem, h = _bowl(), float(method.learning_rate)
    models = {"gradient flow": flows.GradientFlow(method), "second order": flows.KovachkiStuart(method)}
    run = comparisons.compare(method, models, problem, steps=round(DURATION / h), keep_params=True)
    dims = (f"sample_{h:g}", "component")
    paths = {"method": run.discrete, **run.flows}
    return {f"{kind}, {name}, {h:g}": (dims, np.asarray(path.params)) for name, path in paths.items()}


def _order_of(make: Any, model: str, rates: tuple[float, ...]) -> comparisons.Order:
    toy = landscapes.two_valleys()
    flow = {
        "gradient flow": flows.GradientFlow,
        "published": lambda m: flows.KovachkiStuart(m, start="published"),
        "corrected": flows.KovachkiStuart,
        "manifold": lambda m: flows.InvariantManifold(m, start="rest"),
        "other sign": lambda m: OtherSign(m, start="rest"),
    }[model]
    return comparisons.measure_order(
        lambda h: make(h, ORDER_MOMENTUM),
        flow,
        toy.loss,
        toy.params,
        learning_rates=rates,
        duration=ORDER_DURATION,
        start="rest",
        after=SETTLED,
    )


def _deviation(make: Any) -> np.ndarray:
    toy, method = landscapes.two_valleys(), make(ATTRACTED["rate"], ATTRACTED["momentum"])
    off = flows.InvariantManifold(method).deviation(toy.loss)
    run = discrete.run(method, toy.loss, toy.params, steps=ATTRACTED["steps"], observe={"deviation": off})
    return run.observations["deviation"]
