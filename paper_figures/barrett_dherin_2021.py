"""Barrett and Dherin 2021, "Implicit gradient regularization": the flow of L + (h/4) |grad L|^2, and what follows.

The paper shows by backward error analysis that gradient descent follows the flow of E + lambda R_IG, with
lambda = h m/4 and R_IG = |grad E|^2 / m for m parameters. So larger learning rates should lead to smaller gradients and
flatter minima, and the same term added to the loss at a small learning rate should do what the large one does.

Here: the orders and the coefficient 1/4 on the paper's model E = (y - a b)^2/2, its paths, and how flat they end; then
a small tanh network on scikit-learn's digits, full batch, compared at equal loss, and the explicit term at equal time.

Where they differ: the paper trains larger networks on MNIST and CIFAR-10 and reports test errors and robustness to
perturbed weights, which are not looked at here; its second start of the 2-D model, (75, 74.925), is left out. With the
square loss (full size only) the sharpness falls too, but late in training R_IG at equal loss rises from one of the
starts, by 0.06 %: there the effect of first order vanishes, and that of second order in h is no regularizer.
"""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from comparisons.order import regression
from comparisons.plot import COLOURS, DASHES, STYLE

from . import penalized_runs, product_model
from .claim import Claim
from .penalized_runs import Experiment, at_equal_loss
from .product_model import DURATION, PATH, TARGET
from .stored import load as load, stored

PAPER = "Barrett and Dherin 2021"
STEPS, QUICK_STEPS = (400, 566, 800, 1131, 1600, 2263, 3200), (400, 800, 1600, 3200)
CROSS_ENTROPY = Experiment(
    criterion="cross-entropy",
    gain=1.0,
    widths=(32, 32),
    examples=500,
    seeds=(0, 1, 2),
    rates=(1 / 2, 1 / 4, 1 / 8, 1 / 32),
    strengths=(0.0, 1.0, 2.0),
    levels=(0.6, 0.3, 0.15),
    duration=48.0,
)
QUICK_CROSS_ENTROPY = CROSS_ENTROPY._replace(
    widths=(24,), examples=200, seeds=(0,), rates=(1 / 2, 1 / 4, 1 / 8, 1 / 16), duration=32.0
)
SQUARE_LOSS = Experiment(
    criterion="mse",
    gain=0.8,
    widths=(32,),
    examples=200,
    seeds=(0, 1, 2),
    rates=(1 / 16, 1 / 32, 1 / 64, 1 / 128),
    strengths=(),
    levels=(0.2, 0.1, 0.05),
    duration=192.0,
)


def compute(folder: Path, *, quick: bool) -> list[Path]:
    """A netCDF file of the 2-D model, one of the network, and at full size one of the network with square loss."""
    steps, cross_entropy = (QUICK_STEPS, QUICK_CROSS_ENTROPY) if quick else (STEPS, CROSS_ENTROPY)
    parts = {
        "": lambda: product_model.measured(steps),
        "_cross_entropy": lambda: penalized_runs.measured(cross_entropy),
        "_square_loss": lambda: penalized_runs.measured(SQUARE_LOSS),
    }
    if quick:
        del parts["_square_loss"]
    name = "barrett_dherin_2021"
    return [path for part, make in parts.items() for path in stored(folder, name + part, quick=quick, computed=make)]


def judge(data: list[xarray.Dataset]) -> list[Claim]:
    """Four orders and the coefficient, the 2-D model, smaller gradients and flatter points, the explicit term."""
    model, network, *square = data
    return [
        _order(model, "local_error", 0.0, 2, "one step of gradient descent leaves gradient flow by O(h^2)"),
        _order(model, "local_error", 0.25, 3, "and the flow of the modified loss by O(h^3)"),
        _order(model, "error", 0.0, 1, "so after a fixed time it has left gradient flow by O(h)"),
        _order(model, "error", 0.25, 2, "and the flow of the modified loss by O(h^2)"),
        _coefficient(model),
        _product_form(model),
        _nearer(model),
        _flatter_end(model),
        *_falling(network, "cross-entropy"),
        _explicit(network),
        _twice(network),
        *(claim for found in square for claim in _falling(found, "square loss")),
    ]


def _order(model: xarray.Dataset, name: str, coefficient: float, claimed: int, statement: str) -> Claim:
    slope, confidence = regression(model.rate.values, model[name].sel(coefficient=coefficient).values)
    return Claim(
        statement=statement,
        source=f"{PAPER}, theorem 3.1" + (", summed over T/h steps" if name == "error" else ""),
        quantity="slope of log error on log h, 2-D model" + (f", time {DURATION:g}" if name == "error" else ""),
        predicted=(claimed - 0.15, claimed + 0.15),
        because="separates neighbouring orders three times over",
        measured=slope,
        uncertainty=confidence,
    )


def fitted(coefficients: np.ndarray, gaps: np.ndarray) -> float:
    """The coefficient that minimizes the gap: the squared gap is a parabola up to O(h)."""
    curvature, slope, _ = np.polyfit(coefficients, gaps**2, 2)
    return float(-slope / (2 * curvature))


def _coefficient(model: xarray.Dataset) -> Claim:
    rates = model.rate.values
    best = [fitted(model.coefficient.values, model.error.sel(rate=h).values) for h in rates]
    (_, limit), covariance = np.polyfit(rates, best, 1, cov=True)
    return Claim(
        statement="the coefficient of h |grad E|^2 in the modified loss is 1/4",
        source=f"{PAPER}, theorem 3.1",
        quantity=f"c of the flow of E + c h |grad E|^2 that ends nearest at time {DURATION:g}, extrapolated to h = 0",
        predicted=(0.2475, 0.2525),
        because="h S starts below 0.08, and the extrapolation leaves its square, 0.6 %; neighbours 1/6 and 1/2 are far",
        measured=float(limit),
        uncertainty=float(2 * np.sqrt(covariance[1, 1])),
    )


def _product_form(model: xarray.Dataset) -> Claim:
    return Claim(
        statement="the modified loss is E + lambda R_IG, lambda = h m/4, and here R_IG = (a^2 + b^2) E",
        source=f"{PAPER}, definition of R_IG and the 2-D model",
        quantity="largest relative distance of the two over a grid",
        predicted=(0.0, 1e-12),
        because="an identity: rounding of a few operations",
        measured=float(model.closed_form),
    )


def _nearer(model: xarray.Dataset) -> Claim:
    end = model.descent.values[-1]
    modified, plain = (np.linalg.norm(model[f"{name}_flow"].values[-1] - end) for name in ("modified", "gradient"))
    return Claim(
        statement="at a moderate learning rate gradient descent is closer to the modified flow than to gradient flow",
        source=f"{PAPER}, figure 1",
        quantity=f"distance of its end to the end of the one over that of the other, h = {PATH['rate']:g}",
        predicted=(0.0, 0.5),
        because="below 1/2 it is nearer to the modified flow's end than the two flows' ends are to each other",
        measured=float(modified / plain),
    )


def _flatter_end(model: xarray.Dataset) -> Claim:
    flatness = (model.end.values**2).sum(axis=1)
    return Claim(
        statement="larger learning rates end at flatter minima of the 2-D model",
        source=f"{PAPER}, figure 1 and the prediction of flatter optima",
        quantity="trace of the Hessian at the end, a^2 + b^2, at a rate over that at half the rate; largest",
        predicted=(0.0, 1.0),
        because="below 1 it falls at every doubling",
        measured=float(np.max(flatness[1:] / flatness[:-1])),
    )


def gradient_penalty(network: xarray.Dataset) -> xarray.DataArray:
    """R_IG = |grad L|^2 / m."""
    return network.gradient_norm**2 / network.parameters


def _falling(network: xarray.Dataset, criterion: str) -> list[Claim]:
    statements = {
        "R_IG": ("larger learning rates make R_IG smaller relative to the loss", gradient_penalty(network)),
        "the sharpness": ("larger learning rates find flatter regions", network.sharpness),
    }
    claims = []
    for name, (statement, values) in statements.items():
        found = at_equal_loss(network, values)
        claims.append(
            Claim(
                statement=f"{statement} ({criterion})",
                source=f"{PAPER}, the predictions for R_IG and for flatness",
                quantity=f"{name} at equal loss, over that at the next smaller rate; largest over losses and starts",
                predicted=(0.0, 1.0),
                because="below 1 it falls at every step up in the learning rate, at every loss, from every start",
                measured=float(np.max(found[:, :-1] / found[:, 1:])),
            )
        )
    return claims


def _shares(network: xarray.Dataset, strength: float) -> np.ndarray:
    """(seed, rate): the last distance to the large learning rate's run over that without an explicit term."""
    last = network.distance.isel(time=-1)
    return (last.sel(strength=strength) / last.sel(strength=0.0)).values


def _explicit(network: xarray.Dataset) -> Claim:
    return Claim(
        statement="the same term, added to the loss, makes a small learning rate end where the large one ends",
        source=f"{PAPER}, explicit gradient regularization",
        quantity="distance of the ends at equal time over that without the term; largest over rates and seeds",
        predicted=(0.0, 0.5),
        because="below 1/2 its end is nearer to the large rate's than to that of the unregularized run",
        measured=float(np.max(_shares(network, 1.0))),
    )


def _twice(network: xarray.Dataset) -> Claim:
    return Claim(
        statement="with twice the coefficient it does not",
        source="control, ours",
        quantity="the same with twice the coefficient; smallest over rates and seeds",
        predicted=(0.5, 1.5),
        because="1 to first order in h; 1/2 is the bound of the claim above",
        measured=float(np.min(_shares(network, 2.0))),
    )


def draw(data: list[xarray.Dataset]) -> Figure:
    """The 2-D model above: paths, orders, coefficient; below the network: R_IG, sharpness, explicit term."""
    model, network, *square = data
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(2, 3, figsize=(6.8, 4.8), layout="constrained")
        _draw_paths(axes[0, 0], model)
        _draw_orders(axes[0, 1], model)
        _draw_coefficient(axes[0, 2], model)
        for found in (network, *square):
            _draw_falling(axes[1, 0], found, gradient_penalty(found), found is not network)
            _draw_falling(axes[1, 1], found, found.sharpness, found is not network)
        axes[1, 0].set(title="(d) gradient at equal loss", ylabel=r"$R_{IG}$ / that at the smallest $h$")
        axes[1, 1].set(title="(e) sharpness at equal loss", ylabel=r"$\lambda_{\max}$ / that at the smallest $h$")
        _draw_explicit(axes[1, 2], network)
    return figure


def _draw_paths(panel: Any, model: xarray.Dataset) -> None:
    inset = panel.inset_axes((0.46, 0.04, 0.52, 0.42))
    a, small = np.linspace(0.15, 1.3, 300), {"color": COLOURS[2], "linewidth": 2.4, "alpha": 0.5}
    for where in (panel, inset):
        where.plot(a, TARGET / a, color="0.75", linewidth=3.0, zorder=0, label="minima")
        where.plot(*model.small_descent.values.T, label="descent, small $h$", **small)
        where.plot(*model.gradient_flow.values.T, color="black", linestyle=DASHES[1], label="gradient flow")
        where.plot(*model.modified_flow.values.T, color=COLOURS[0], linestyle=DASHES[2], label="modified flow")
        where.plot(*model.descent.values.T, ".-", color=COLOURS[1], markersize=3, linewidth=0.6, label="descent")
    inset.set(xlim=(0.24, 0.44), ylim=(1.92, 2.24), xticks=[], yticks=[])
    panel.indicate_inset_zoom(inset, edgecolor="0.4")
    panel.set(title=f"(a) 2-D model, $h = {PATH['rate']:g}$", xlabel="$a$", ylabel="$b$", xlim=(0, 3), ylim=(-0.6, 4.9))
    panel.legend(fontsize="xx-small", loc="upper left", ncols=2, columnspacing=0.8, handlelength=1.5)


def _draw_orders(panel: Any, model: xarray.Dataset) -> None:
    kinds = (("error", 0.0), ("error", 0.25), ("local_error", 0.0), ("local_error", 0.25))
    for (name, c), colour, marker in zip(kinds, COLOURS, "os^v", strict=False):
        row = model[name].sel(coefficient=c)
        slope, _ = regression(model.rate.values, row.values)
        flow = "modified" if c else "gradient"
        label = f"{'one step' if name == 'local_error' else 'fixed time'}, {flow} flow: {slope:.2f}"
        panel.loglog(model.rate, row, marker=marker, markersize=3, linewidth=0.9, color=colour, label=label)
    low, high = panel.get_ylim()
    panel.set(title="(b) distance to the flows, slopes", xlabel="$h$", ylabel="distance", ylim=(low, high * 300))
    ends = model.rate.values[[0, -1]]
    panel.set_xticks(ends, [f"{h:.2g}" for h in ends])
    panel.xaxis.set_minor_locator(NullLocator())
    panel.legend(fontsize="xx-small", loc="upper left")


def _draw_coefficient(panel: Any, model: xarray.Dataset) -> None:
    fine = np.linspace(0, 0.5, 101)
    for h, colour, marker in zip(model.rate.values[[0, -1]], COLOURS, "os", strict=False):
        gaps = model.error.sel(rate=h) / model.error.sel(rate=h, coefficient=0.0)
        squares = np.polyval(np.polyfit(model.coefficient, gaps**2, 4), fine)
        panel.plot(fine, np.sqrt(np.maximum(squares, 0)), color=colour, linewidth=0.9)
        panel.plot(model.coefficient, gaps, marker, color=colour, markersize=3, label=f"$h = {h:.2g}$")
    panel.axvline(0.25, color="0.6", linewidth=0.8, zorder=0)
    panel.set(title="(c) which coefficient", xlabel=r"$c$ in $E + c\,h\,|\nabla E|^2$")
    panel.set(ylabel="distance / that at $c = 0$", xticks=model.coefficient.values[::2], ylim=(0, 1.1))
    panel.legend(fontsize="xx-small", loc="lower right")


def _draw_falling(panel: Any, network: xarray.Dataset, values: xarray.DataArray, other: bool) -> None:
    """Means over the starts, and their range; of the square loss, the lowest level alone."""
    found = at_equal_loss(network, values)
    relative = found / found[:, -1:]
    styles = list(zip(network.level.values, relative.transpose(2, 0, 1), COLOURS, "os^", strict=False))
    for level, rows, colour, marker in styles[-1:] if other else styles:
        mean = rows.mean(axis=0)
        look = {"color": "0.5" if other else colour, "marker": "v" if other else marker, "markersize": 3}
        label = f"square loss, $L = {level:g}$" if other else f"$L = {level:g}$"
        spread = np.abs(np.stack([rows.min(axis=0), rows.max(axis=0)]) - mean)
        panel.errorbar(network.learning_rate, mean, spread, linewidth=0.9, capsize=2, label=label, **look)
    panel.set_xscale("log", base=2)
    panel.set_xlabel("learning rate $h$")
    panel.legend(fontsize="xx-small", loc="lower left")


def _draw_explicit(panel: Any, network: xarray.Dataset) -> None:
    names = ("no explicit term", "the same coefficient", "twice the coefficient")
    large, small = (float(network.learning_rate[i]) for i in (0, -1))
    for strength, name, colour, dashes in zip(network.strength.values, names, COLOURS, DASHES, strict=False):
        rows = network.distance.sel(larger_rate=large, strength=strength).values
        panel.semilogy(network.time[1:], rows.T[1:], color=colour, linestyle=dashes, linewidth=0.9)
        panel.plot([], [], color=colour, linestyle=dashes, linewidth=0.9, label=name)
    panel.set(title=f"(f) $h = 1/{1 / small:.0f}$, explicit term", xlabel="time $t = h n$")
    panel.set_ylabel(f"distance to the run at $h = 1/{1 / large:.0f}$")
    low, high = panel.get_ylim()
    panel.set_ylim(low / 6, high)
    panel.legend(fontsize="xx-small", loc="lower right")
