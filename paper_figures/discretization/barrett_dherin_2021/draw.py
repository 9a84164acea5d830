"""The figure."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from comparisons.plot import COLOURS, DASHES, STYLE
from comparisons.theorems.order import regression

from .judge import gradient_penalty
from .penalized_runs import at_equal_loss
from .product_model import PATH, TARGET


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
