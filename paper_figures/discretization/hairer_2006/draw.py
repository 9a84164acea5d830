"""The figure."""

import matplotlib.pyplot as plt
import numpy as np
import xarray
from matplotlib.figure import Figure

from comparisons.plot import COLOURS, DASHES, STYLE

from .setting import FRACTIONS, MOMENTUM, ORDERS, STEP, TERMS


def draw(data: list[xarray.Dataset]) -> Figure:
    """Phase plane, error against the step, and error of the truncated series against its order."""
    (found,) = data
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(1, 3, figsize=(6.8, 2.7), layout="constrained")
        _draw_plane(axes[0], found)
        _draw_errors(axes[1], found)
        _draw_series(axes[2], found)
    return figure


def _draw_plane(panel, found: xarray.Dataset) -> None:
    panel.plot(*found.euler.values.T, ".", color="black", markersize=2.5, label=f"Euler, $h = {STEP}$")
    names = ("exact flow", "order 2", "order 3", "order 4")
    for name, path, colour, dashes in zip(names, found.flow.values, COLOURS, DASHES, strict=False):
        panel.plot(*path.T, color=colour, linestyle=dashes, linewidth=0.9, label=name)
    panel.set(title="(a) Lotka-Volterra", xlabel="$q$", ylabel="$p$")
    panel.legend(fontsize="xx-small", loc="upper right")


def _draw_errors(panel, found: xarray.Dataset) -> None:
    for order, row, colour in zip(ORDERS, found.error.values, COLOURS, strict=False):
        panel.loglog(found.step, row, "o-", color=colour, markersize=3, linewidth=0.9, label=f"order {order}")
    panel.set(title="(b) error of the flows, $t = 2$", xlabel="$h$", ylabel=r"$|x_n - X(nh)|$")
    panel.set_xticks(found.step.values, [f"{h:g}" for h in found.step.values], rotation=45)
    panel.minorticks_off()
    panel.legend(fontsize="xx-small")


def _draw_series(panel, found: xarray.Dataset) -> None:
    orders = np.arange(1, TERMS + 1)
    for fraction, colour in zip(FRACTIONS, COLOURS, strict=False):
        for name, dashes, label in (("gradient_descent", "-", f"{fraction:g}"), ("heavy_ball", "--", None)):
            row = found[f"series_{name}"].sel(fraction=fraction)
            panel.semilogy(orders, row, linestyle=dashes, color=colour, linewidth=0.9, label=label)
    panel.set(title="(c) series on a quadratic mode", xlabel="order", ylabel="relative error of the rate")
    panel.plot([], [], "-", color="0.4", linewidth=0.9, label="gradient descent")
    panel.plot([], [], "--", color="0.4", linewidth=0.9, label=f"heavy ball, $\\beta = {MOMENTUM}$")
    panel.set_xticks(orders[1::2])
    panel.legend(title="$h\\lambda$ / radius", fontsize="xx-small", title_fontsize="xx-small", loc="lower left")
