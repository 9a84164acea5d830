"""The figure."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from comparisons.plot import COLOURS, STYLE

from .setting import DURATION, KINDS, MODELS, MOMENTUM, SHOWN

PRODUCT = 2.0
MARKERS = ("o", "s", "^", "v", "D", "P", "X")
SHADES = (*COLOURS, "black")


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
