"""The figure."""

from typing import Any

import matplotlib.pyplot as plt
import xarray
from matplotlib.figure import Figure

from comparisons.plot import COLOURS, DASHES, STYLE

from .diagonal_methods import draw_methods
from .judge import ENOUGH, RICH, excesses, population_error


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
