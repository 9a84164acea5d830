"""Kovachki and Stuart 2021, "Continuous time analysis of momentum methods": three models of heavy ball and Nesterov.

Their phase planes on Phi = (x_1^2 + k x_2^2)/2 beside the rescaled gradient flow and beside the second-order equation,
the order of every model, and the exponential attraction to the invariant manifold.
"""

from pathlib import Path
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import xarray
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

import comparisons
import discrete
import flows
import landscapes
from comparisons.order import regression
from comparisons.plot import COLOURS, DASHES, STYLE
from landscapes import Loss, Params

from .claim import Claim
from .stored import load as load, stored

PAPER = "Kovachki and Stuart 2021"
KINDS = {"heavy ball": discrete.HeavyBall, "Nesterov": discrete.Nesterov}
CONDITION, MOMENTUM, DURATION = 20.0, 0.9, 2.0
PLANE_RATES = (2**-6, 2**-8, 2**-10)
SECOND_RATES = (2**-5, 2**-6, 2**-7)
ORDER_MOMENTUM, ORDER_DURATION, SETTLED = 0.7, 0.5, 0.25
ORDER_RATES = tuple(float(h) for h in np.geomspace(0.001, 0.00015, 7))
QUICK_ORDER_RATES = tuple(float(h) for h in np.geomspace(0.001, 0.0003, 4))
ATTRACTED = {"rate": 1e-5, "momentum": 0.6, "steps": 40}
MODELS = {
    "gradient flow": "rescaled gradient flow",
    "published": "second order, published start",
    "corrected": "second order, corrected start",
    "manifold": "manifold, $\\bar\\lambda - a - 1/2$",
    "other sign": "manifold, $\\bar\\lambda - a + 1/2$",
}
CLAIMED = {"gradient flow": 1, "published": 1, "corrected": 2, "manifold": 2}


class OtherSign(flows.InvariantManifold):
    """The flow of the potential with + 1/2 for - 1/2, to show that the sign matters."""

    def vector_field(self, loss: Loss, t: Any, state: Params) -> Params:
        h, lb = self.method.learning_rate, 1 / (1 - self.method.momentum)
        return self._along(loss, state, h * lb * (lb - self.method.looks_ahead() + 0.5))


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


def judge(data: list[xarray.Dataset]) -> list[Claim]:
    """Orders of the three approximations with both starts, the sign of the penalty, and the attraction."""
    (found,) = data
    return [
        *(_order(found, model, claimed) for model, claimed in CLAIMED.items()),
        _other_sign(found),
        _attraction(found),
    ]


def _slopes(found: xarray.Dataset, model: str) -> dict[str, tuple[float, float]]:
    return {
        kind: regression(found.rate.values[usable], row[usable])
        for kind in KINDS
        for row in [found.error.sel(kind=kind, model=model).values]
        for usable in [np.isfinite(row)]
    }


class _Statement(NamedTuple):
    text: str
    source: str


STATEMENTS = {
    "gradient flow": _Statement("momentum follows a gradient flow whose time runs 1/(1-b) faster: O(h)", "thm 3"),
    "published": _Statement("it follows a second-order equation from the published velocity: O(h)", "thm 4"),
    "corrected": _Statement(
        "from the velocity derived here the second-order equation is O(h^2) after its transient", "thm 4, start ours"
    ),
    "manifold": _Statement(
        "after a transient it follows the gradient flow of Phi + (h/2) lb (lb - a - 1/2) |grad Phi|^2: O(h^2)",
        "thm 9, start shifted",
    ),
}


def _order(found: xarray.Dataset, model: str, claimed: int) -> Claim:
    slopes = _slopes(found, model)
    worst = max(slopes, key=lambda kind: abs(slopes[kind][0] - claimed))
    statement = STATEMENTS[model]
    return Claim(
        statement=statement.text,
        source=f"{PAPER}, {statement.source}",
        quantity=f"slope of log error on log h, b = {ORDER_MOMENTUM}, farther of the two: {worst}",
        predicted=(claimed - 0.15, claimed + 0.15),
        because="separates neighbouring orders three times over",
        measured=slopes[worst][0],
        uncertainty=slopes[worst][1],
    )


def _other_sign(found: xarray.Dataset) -> Claim:
    slopes = _slopes(found, "other sign")
    best = max(slopes, key=lambda kind: slopes[kind][0])
    return Claim(
        statement="with lb - a + 1/2 in the penalty the order is lost",
        source="derived here (the logarithm of the slow root has - 1/2)",
        quantity=f"slope of log error on log h, higher of the two: {best}",
        predicted=(0.5, 1.5),
        because="below the middle between orders 1 and 2",
        measured=slopes[best][0],
        uncertainty=slopes[best][1],
    )


def _attraction(found: xarray.Dataset) -> Claim:
    rates = {}
    for kind in KINDS:
        row = found.deviation.sel(kind=kind).values
        falling = row > 100 * row[-5:].max()
        steps = np.flatnonzero(falling)
        rates[kind] = float(np.exp(np.polyfit(steps, np.log(row[falling]), 1)[0]))
    worst = max(rates, key=lambda kind: abs(rates[kind] - ATTRACTED["momentum"]))
    return Claim(
        statement="the distance to the invariant manifold shrinks like b^n",
        source=f"{PAPER}, theorem 6",
        quantity=f"factor a step at b = {ATTRACTED['momentum']:g}, h = {ATTRACTED['rate']:g}; farther of two: {worst}",
        predicted=(ATTRACTED["momentum"] * 0.98, ATTRACTED["momentum"] * 1.02),
        because="the factor is b (1 + O(h S/(1-b)^2)), and the fit stops at the floor of O(h^2)",
        measured=rates[worst],
    )


def draw(data: list[xarray.Dataset]) -> Figure:
    """Phase planes above, orders and attraction below."""
    (found,) = data
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(2, 3, figsize=(6.8, 4.8), layout="constrained")
        for panel, kind, letter in zip(axes[0, :2], KINDS, "ab", strict=True):
            _draw_plane(panel, found, kind, "gradient flow", PLANE_RATES, f"({letter}) {kind}, $b = {MOMENTUM}$")
        _draw_plane(axes[0, 2], found, "heavy ball", "second order", SECOND_RATES, f"(c) heavy ball, $b = {MOMENTUM}$")
        for panel, kind, letter in zip(axes[1, :2], KINDS, "de", strict=True):
            _draw_errors(panel, found, kind, f"({letter}) {kind}, $b = {ORDER_MOMENTUM}$")
        _draw_attraction(axes[1, 2], found)
    return figure


def _draw_plane(panel: Any, found: xarray.Dataset, kind: str, model: str, rates: tuple, title: str) -> None:
    for h, colour in zip(rates, COLOURS, strict=False):
        power = round(np.log2(h))
        panel.plot(*found[f"{kind}, method, {h:g}"].values.T, color=colour, linewidth=0.9, label=f"$h = 2^{{{power}}}$")
        if model == "second order":
            path = found[f"{kind}, {model}, {h:g}"].values.T
            label = "second order" if h == rates[-1] else None
            panel.plot(*path, color="black", linewidth=0.8, linestyle=DASHES[1], label=label)
    if model == "gradient flow":
        path = found[f"{kind}, {model}, {rates[-1]:g}"].values.T
        panel.plot(*path, color="black", linewidth=1.1, linestyle=DASHES[1], label="gradient flow")
    panel.set(title=title, xlabel="$x_1$", ylabel="$x_2$")
    panel.set_ylim(top=1.9)
    panel.legend(fontsize="xx-small", loc="upper left")


def _draw_errors(panel: Any, found: xarray.Dataset, kind: str, title: str) -> None:
    for (model, label), colour, dashes in zip(MODELS.items(), COLOURS, DASHES, strict=False):
        row = found.error.sel(kind=kind, model=model)
        panel.loglog(found.rate, row, marker="o", markersize=2.5, color=colour, linestyle=dashes, label=label)
    panel.set(title=title, xlabel="learning rate $h$", ylabel=r"$\max |x_n - X(nh)|$, $t \geq 1/4$")
    ends = found.rate.values[[0, -1]]
    panel.set_xticks(ends, [f"{h:.1e}" for h in ends])
    panel.xaxis.set_minor_locator(NullLocator())
    if kind == "heavy ball":
        low, high = panel.get_ylim()
        panel.set_ylim(low, high * 300)
        panel.legend(fontsize="xx-small", loc="upper left")


def _draw_attraction(panel: Any, found: xarray.Dataset) -> None:
    steps = np.arange(found.sizes["step"])
    for kind, colour, dashes in zip(KINDS, COLOURS, DASHES, strict=False):
        panel.semilogy(steps, found.deviation.sel(kind=kind), color=colour, linestyle=dashes, label=kind)
    start = float(found.deviation[0, 0])
    panel.semilogy(steps, start * ATTRACTED["momentum"] ** steps, color="0.6", linewidth=2.5, zorder=0, label=r"$b^n$")
    panel.set(title="(f) distance to the manifold", xlabel="step $n$", ylabel=r"$|v_n - v(x_n)|$")
    panel.set_ylim(bottom=float(found.deviation.min()) / 5)
    panel.legend(fontsize="xx-small")
