"""Seven continuous-time models of heavy ball and of Nesterov's method on the same axes: no paper has this picture.

Logistic regression on digits, constant momentum, from rest: the error of each model against the learning rate, against
time, and against what it costs (default solver; a Hessian product counts as two gradients).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

import comparisons
import discrete
import flows
import landscapes
from comparisons.plot import COLOURS, STYLE
from comparisons.theorems.order import regression

from .claim import Claim
from .stored import load as load, stored

KINDS = {"heavy ball": discrete.HeavyBall, "Nesterov": discrete.Nesterov}
MOMENTUM, DURATION = 0.8, 6.0
RATES, QUICK_RATES = (0.08, 0.04, 0.02, 0.01, 0.005), (0.02, 0.01, 0.005)
SAMPLES = 75
SHOWN = 0.02
PRODUCT = 2.0
MODELS: dict[str, Callable[[Any], flows.Flow]] = {
    "rescaled gradient flow": flows.GradientFlow,
    "Polyak": flows.Polyak,
    "high resolution": flows.HighResolution,
    "Kovachki-Stuart": flows.KovachkiStuart,
    "manifold (modified, order 2)": lambda method: flows.InvariantManifold(method, start="rest"),
    "modified, order 3": lambda method: flows.ModifiedFlow(method, order=3, start="rest"),
    "modified, order 4": lambda method: flows.ModifiedFlow(method, order=4, start="rest"),
}
CLAIMED = {
    "rescaled gradient flow": 1,
    "Kovachki-Stuart": 2,
    "manifold (modified, order 2)": 2,
    "modified, order 3": 3,
    "modified, order 4": 4,
}
MARKERS = ("o", "s", "^", "v", "D", "P", "X")
SHADES = (*COLOURS, "black")


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


def judge(data: list[xarray.Dataset]) -> list[Claim]:
    """The order of every model that claims one at constant momentum, for the method where it is farther from it."""
    (found,) = data
    return [_order(found, model, claimed) for model, claimed in CLAIMED.items()]


def _order(found: xarray.Dataset, model: str, claimed: int) -> Claim:
    rates = found.rate.values
    small = rates <= SHOWN if len(rates) > 3 else np.ones(len(rates), dtype=bool)
    slopes = {
        kind: regression(rates[small], found.error.sel(kind=kind, model=model).values[small])[0] for kind in KINDS
    }
    worst = max(slopes, key=lambda kind: abs(slopes[kind] - claimed))
    return Claim(
        statement=f"{model}: from rest, after the transient, the distance to the iterates closes like h^{claimed}",
        source="measured here",
        quantity=f"slope of log error on log h, logistic digits, b = {MOMENTUM}; farther of the two: {worst}",
        predicted=(claimed - 0.3, claimed + 0.3),
        because="three step sizes; separates neighbouring orders",
        measured=slopes[worst],
    )


def draw(data: list[xarray.Dataset]) -> Figure:
    """One row for each method: error against h, against time, against cost."""
    (found,) = data
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(2, 3, figsize=(6.8, 5.4), layout="constrained")
        for row, kind in zip(axes, KINDS, strict=True):
            _draw_rates(row[0], found, kind)
            _draw_times(row[1], found, kind)
            _draw_costs(row[2], found, kind)
        for panel, letter in zip(axes.flat, "abcdef", strict=True):
            panel.set_title(f"({letter}) {panel.get_title()}")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize="x-small")
    return figure


def _draw_rates(panel: Any, found: xarray.Dataset, kind: str) -> None:
    for model, colour, marker in zip(MODELS, SHADES, MARKERS, strict=True):
        row = found.error.sel(kind=kind, model=model)
        panel.loglog(found.rate, row, color=colour, marker=marker, markersize=3, linewidth=0.9, label=model)
    panel.set(
        title=f"{kind}, $b = {MOMENTUM}$", xlabel="learning rate $h$", ylabel=f"error, $t \\geq {DURATION / 2:g}$"
    )
    ends = found.rate.values[[0, -1]]
    panel.set_xticks(ends, [f"{h:g}" for h in ends])
    panel.xaxis.set_minor_locator(NullLocator())


def _draw_times(panel: Any, found: xarray.Dataset, kind: str) -> None:
    times = np.linspace(0, DURATION, found.sizes["sample"])
    for model, colour, marker in zip(MODELS, SHADES, MARKERS, strict=True):
        row = found[f"distance, {kind}, {model}"]
        panel.semilogy(
            times[1:], row[1:], color=colour, marker=marker, markersize=3, markevery=0.2, linewidth=0.9, label=model
        )
    panel.set(title=f"$h = {SHOWN:g}$", xlabel="$t = nh$", ylabel="$|x_n - X|$")


def _draw_costs(panel: Any, found: xarray.Dataset, kind: str) -> None:
    here = found.sel(kind=kind, rate=SHOWN)
    for model, colour, marker in zip(MODELS, SHADES, MARKERS, strict=True):
        cost = float(here.gradients.sel(model=model) + PRODUCT * here.products.sel(model=model))
        panel.loglog(cost, float(here.error.sel(model=model)), color=colour, marker=marker, markersize=5, linewidth=0)
    panel.set(
        title=f"$h = {SHOWN:g}$", xlabel="gradients + 2 products a step", ylabel=f"error, $t \\geq {DURATION / 2:g}$"
    )
    panel.set_xticks((3, 10, 30), ("3", "10", "30"))
    panel.xaxis.set_minor_locator(NullLocator())
