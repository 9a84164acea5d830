"""The figure."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from comparisons.plot import COLOURS, DASHES, STYLE

from .setting import ATTRACTED, KINDS, MODELS, MOMENTUM, ORDER_MOMENTUM, PLANE_RATES, SECOND_RATES


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
