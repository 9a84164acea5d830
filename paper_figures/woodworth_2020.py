"""Woodworth, Gunasekar, Lee, Moroshko, Savarese, Golan, Soudry and Srebro 2020, "Kernel and rich regimes in
overparametrized models": which interpolator a diagonal linear network finds, from its scale and its depth.

The paper shows that gradient flow on theta = u^D - v^D, started at u = v = alpha, ends at the interpolator of least
Q(theta) = sum alpha^D q_D(theta / alpha^D): of least l2 norm for large alpha (the kernel regime), of least l1 norm for
small alpha (the rich one), and that the change between them is sharper for deeper networks.

Shown here: sparse regression, 3 of 40 unknowns, 20 examples, D = 2, 3 and 4. The ends of the flow meet the conditions
of Karush, Kuhn and Tucker and agree with convex programs that are solved without a flow. Then the ends of gradient
descent and of heavy ball, which minimize a Q of their own.

The paper has 1000 unknowns, 100 noisy examples and no discrete method. Here the examples are free of noise, so that the
interpolator of least l1 norm is the truth, and the rates at which both regimes are approached are known.
"""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray
from matplotlib.figure import Figure

import landscapes
from comparisons.order import regression
from comparisons.plot import COLOURS, DASHES, STYLE
from comparisons.progress_bar import progress_bar

from .claim import Claim
from .diagonal_methods import SCALE as METHOD_SCALE, draw_methods, judge_methods, with_methods
from .interpolators import (
    certificate,
    least_l1,
    least_l2,
    least_potential,
    network_dual,
    network_potential,
    off_row_space,
)
from .network_ends import diagonal_flow_end
from .stored import load as load, stored

PAPER = "Woodworth et al. 2020"
SEPARATES = "half of this separates neighbouring powers three times over"
SIGN = "the sign is what is stated"
# The scale of a network of depth D is alpha^D, the size of theta at which the regimes part.
DEPTHS, QUICK_DEPTHS = (2, 3, 4), (2, 3)
SCALES = tuple(float(f"{m:.4g}") for m in np.geomspace(1e-5, 10, 13))
QUICK_SCALES = (1e-4, 3e-4, 1e-3, 1e-2, 0.1, 1.0, 3.0, 10.0)
RICH, KERNEL, ENOUGH = 1e-3, 1.0, 0.025


def compute(folder: Path, *, quick: bool) -> list[Path]:
    """One netCDF file: ends of the flow for every depth and scale, convex programs beside them, ends of two methods."""
    sizes = (QUICK_DEPTHS, QUICK_SCALES) if quick else (DEPTHS, SCALES)
    return stored(folder, "woodworth_2020", quick=quick, computed=lambda: _computed(*sizes))


def _computed(depths: tuple[int, ...], scales: tuple[float, ...]) -> xarray.Dataset:
    found, ends = references(depths, scales), []
    cases = [(depth, scale) for depth in depths for scale in scales]
    with progress_bar(title="gradient flow: ") as show:
        for done, case in enumerate(cases):
            show(done, len(cases))
            ends.append(diagonal_flow_end(*case))
    return with_methods(found, diagonal_flow_end(2, METHOD_SCALE)).assign(
        flow=(found.reference.dims, np.reshape(ends, found.reference.shape))
    )


def references(depths: tuple[int, ...], scales: tuple[float, ...]) -> xarray.Dataset:
    """The inputs, and what is known without a flow: interpolators of least l1 and l2 norm and of least Q."""
    loss = landscapes.diagonal_linear().loss
    inputs, targets = np.asarray(loss.inputs), np.asarray(loss.targets)[:, 0]
    sparse = least_l1(inputs, targets)
    least = [[least_potential(network_potential(m, depth), inputs, targets) for m in scales] for depth in depths]
    return xarray.Dataset(
        {
            "inputs": (("example", "entry"), inputs),
            "least_l1": ("entry", sparse),
            "least_l2": ("entry", least_l2(inputs, targets)),
            "certificate": certificate(inputs, sparse),
            "reference": (("depth", "scale", "entry"), least, {"long_name": "interpolator of least Q"}),
        },
        coords={"depth": list(depths), "scale": list(scales)},
    )


def judge(data: list[xarray.Dataset]) -> list[Claim]:
    """Twelve claims: which interpolator, both regimes and how they are approached, and what finite steps change."""
    (found,) = data
    return [
        _conditions(found, found.depth == 2, "asinh(theta / (2 alpha^2))", "theorem 1"),
        _conditions(found, found.depth > 2, "h_D^-1(theta / alpha^D)", "theorem on higher order models"),
        _convex(found),
        _monotone(found),
        _kernel(found),
        *_rich(found),
        _range(found),
        *judge_methods(found),
    ]


def _conditions(found: xarray.Dataset, chosen: Any, dual: str, source: str) -> Claim:
    some = found.sel(depth=chosen)
    residuals = [
        off_row_space(found.inputs.values, network_dual(theta / scale, int(depth)))
        for depth, row in zip(some.depth.values, some.flow.values, strict=True)
        for scale, theta in zip(some.scale.values, row, strict=True)
    ]
    return Claim(
        statement=f"gradient flow ends where Q is least: depth {', '.join(str(d) for d in some.depth.values)}",
        source=f"{PAPER}, {source}",
        quantity=f"part of {dual} outside the rows of X, relative, largest over the scales",
        predicted=(0.0, 1e-7),
        because="exact; the solver errs by 1e-9 a step, and takes some thousand steps",
        measured=float(np.max(residuals)),
    )


def _convex(found: xarray.Dataset) -> Claim:
    apart = np.linalg.norm(found.flow - found.reference, axis=-1) / np.linalg.norm(found.reference, axis=-1)
    return Claim(
        statement="the end of gradient flow is the interpolator of least Q, at every scale between the regimes",
        source=f"{PAPER}, theorem 1 and its extension to depth D",
        quantity="distance to the solution of the convex program, relative, largest over scales and depths",
        predicted=(0.0, 1e-6),
        because="ten times the tolerance on the conditions: theta follows an error of its dual with a factor up to log",
        measured=float(np.max(apart)),
    )


def excesses(found: xarray.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """(|theta|_1 over the least, |theta|_2^2 over the least), both less 1, at the ends of the flow; (depth, scale)."""
    flow, one, two = found.flow.values, found.least_l1.values, found.least_l2.values
    return np.abs(flow).sum(-1) / np.abs(one).sum() - 1, (flow**2).sum(-1) / (two**2).sum() - 1


def _monotone(found: xarray.Dataset) -> Claim:
    one, two = excesses(found)
    return Claim(
        statement="as alpha grows, the end moves from the least l1 norm to the least l2 norm",
        source=f"{PAPER}, section 4, figure of the excess norms",
        quantity="share of neighbouring scales at which the l1 norm falls or the l2 norm rises",
        predicted=(0.0, 0.0),
        because="a count: both are strictly monotone",
        measured=float(np.mean([np.diff(one, axis=1) <= 0, np.diff(two, axis=1) >= 0])),
    )


def _kernel(found: xarray.Dataset) -> Claim:
    late = found.sel(scale=found.scale >= KERNEL)
    slopes = [regression(late.scale.values, row)[0] for row in np.linalg.norm(late.flow - late.least_l2, axis=-1)]
    return Claim(
        statement="for alpha to infinity the end is the interpolator of least l2 norm",
        source=f"{PAPER}, theorem 2; the power derived here: q_D' is odd, what is left is (theta / alpha^D)^2",
        quantity="slope of log distance to it on log alpha^D, the farthest from -2 of all depths",
        predicted=(-2.15, -1.85),
        because=SEPARATES,
        measured=max(slopes, key=lambda slope: abs(slope + 2)),
    )


def _rich(found: xarray.Dataset) -> list[Claim]:
    early = found.sel(scale=found.scale <= RICH)
    slopes = [regression(early.scale.values, row)[0] for row in excesses(early)[0]]
    source, power = (
        f"{PAPER}, theorem 2 and section 5; the power as in Matt and Stoeger 2025",
        1 - float(found.certificate),
    )
    return [
        Claim(
            statement="for alpha to 0 the end is the interpolator of least l1 norm, approached slowly at depth 2",
            source=source,
            quantity=f"slope of log excess of the l1 norm on log alpha^2; 1 - rho = {power:.3f}, rho by linear program",
            predicted=(power - 0.15, power + 0.15),
            because=SEPARATES,
            measured=slopes[0],
        ),
        Claim(
            statement="deeper networks approach it faster: the transition is sharper",
            source=source,
            quantity="slope of log excess of the l1 norm on log alpha^D, D > 2, the farthest from 1",
            predicted=(0.85, 1.15),
            because=SEPARATES,
            measured=max(slopes[1:], key=lambda slope: abs(slope - 1)),
        ),
    ]


def population_error(found: xarray.Dataset) -> np.ndarray:
    """Mean of (x'theta - x'truth)^2 over new inputs, over that of theta = 0; (depth, scale)."""
    truth = found.least_l1.values
    return ((found.flow.values - truth) ** 2).sum(-1) / (truth**2).sum()


def _range(found: xarray.Dataset) -> Claim:
    log_scale = np.log10(found.scale.values)
    reach = [np.interp(np.log10(ENOUGH), np.log10(row), log_scale) for row in population_error(found)]
    return Claim(
        statement="the deeper the network, the larger are the scales that generalize",
        source=f"{PAPER}, section 5, figure of simulations at several depths",
        quantity=f"decades that the scale alpha^D of population error {ENOUGH} gains by one more layer, the least",
        predicted=(0.0, np.inf),
        because=SIGN,
        measured=float(np.min(np.diff(reach))),
    )


def draw(data: list[xarray.Dataset]) -> Figure:
    """Excess norms, population error and the approach to least l1 against the scale; ends of methods against h."""
    (found,) = data
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(2, 2, figsize=(6.8, 5.0), layout="constrained")
        _draw_norms(axes[0, 0], found)
        _draw_error(axes[0, 1], found)
        _draw_approach(axes[1, 0], found)
        draw_methods(axes[1, 1], found, "(d) ends of methods with finite steps")
        for panel in (axes[0, 0], axes[0, 1], axes[1, 0]):
            panel.set_xlabel(r"scale $\alpha^D$")
    return figure


def _each_depth(found: xarray.Dataset):
    for i, depth in enumerate(found.depth.values):
        yield i, rf"$D = {depth}$", {"color": COLOURS[i], "linewidth": 1.0}


def _draw_norms(panel: Any, found: xarray.Dataset) -> None:
    one, two = excesses(found)
    for i, label, style in _each_depth(found):
        panel.semilogx(found.scale, one[i], "o-", markersize=2.5, label=label, **style)
        panel.semilogx(found.scale, two[i], "o", markersize=2.5, linestyle=DASHES[1], **style)
    panel.plot([], [], "-", color="0.4", label=r"$|\theta|_1$")
    panel.plot([], [], linestyle=DASHES[1], color="0.4", label=r"$|\theta|_2^2$")
    panel.set(title="(a) excess over the least norm", ylabel="relative excess")
    panel.legend(fontsize="x-small", loc="upper right")


def _draw_error(panel: Any, found: xarray.Dataset) -> None:
    truth, flow = found.least_l1.values, population_error(found)
    exact = ((found.reference.values - truth) ** 2).sum(-1) / (truth**2).sum()
    for i, label, style in _each_depth(found):
        panel.loglog(found.scale, exact[i], "-", label=f"least $Q$, {label}", **style)
        panel.loglog(found.scale, flow[i], "o", color=style["color"], markersize=3, label=f"flow, {label}")
    panel.axhline(ENOUGH, color="0.5", linewidth=0.8, linestyle=":")
    panel.set(title="(b) population error", ylabel=r"error, relative to $\theta = 0$")
    panel.legend(fontsize="x-small", loc="lower right")


def _draw_approach(panel: Any, found: xarray.Dataset) -> None:
    one, scale = excesses(found)[0], found.scale.values
    for i, label, style in _each_depth(found):
        panel.loglog(scale, one[i], "o-", markersize=3, label=label, **style)
    early = scale[scale <= RICH]
    guides = ((one[0], 1 - float(found.certificate), r"$1 - \rho$"), (one[-1], 1.0, "$1$"))
    for at, (row, power, name) in enumerate(guides):
        guide = 0.6 * row[0] * (early / early[0]) ** power
        panel.loglog(early, guide, color="0.5", linewidth=0.8, linestyle=":")
        panel.annotate(f"  slope {name}", (early[at], guide[at]), fontsize="x-small", color="0.3", va="top")
    panel.set(title="(c) approach to the least $l_1$ norm", ylabel=r"relative excess of $|\theta|_1$")
    panel.legend(fontsize="x-small", loc="lower right")
