"""The figure."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray
from matplotlib.figure import Figure

import discrete
from comparisons.plot import COLOURS, DASHES, STYLE

from .setting import KINDS, RATES


def draw(data: list[xarray.Dataset]) -> Figure:
    """The radius over (h lambda, b) for both methods, with the ends found on runs, and the fastest rates."""
    (found,) = data
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(1, 3, figsize=(6.8, 2.7), layout="constrained")
        for panel, kind, letter in zip(axes, ("heavy ball", "Nesterov"), "ab", strict=False):
            _draw_region(panel, found, kind, letter)
        _draw_rates(axes[2], found)
    return figure


def _draw_region(panel: Any, found: xarray.Dataset, kind: str, letter: str) -> None:
    radius = found.radius.sel(shown=kind)
    stable = np.where(radius <= 1, radius, np.nan)
    shades = panel.contourf(found.curvature, found.plane_momentum, stable, levels=np.linspace(0, 1, 11), cmap="cividis")
    panel.figure.colorbar(shades, ax=panel, label="radius $|r|$" if kind == "Nesterov" else None, ticks=(0, 0.5, 1))
    momenta = np.linspace(0.001, 0.99, 200)
    ends = np.array([discrete.oscillating_range(KINDS[kind](float(b))) or (np.nan, np.nan) for b in momenta])
    panel.plot(ends[:, 0], momenta, color=COLOURS[5], linestyle=DASHES[1], linewidth=1.1, label="oscillates between")
    panel.plot(ends[:, 1], momenta, color=COLOURS[5], linestyle=DASHES[1], linewidth=1.1)
    panel.plot(found.bisected.sel(kind=kind), found.momentum, "o", color=COLOURS[1], markersize=4, label="end, on runs")
    if kind == "Nesterov":
        panel.legend(fontsize="xx-small", loc="upper right", title="in (a) and (b)", title_fontsize="xx-small")
    panel.set(title=f"({letter}) {kind}", xlabel=r"$h\lambda$", ylabel="momentum $b$", xlim=(0, 4.2), ylim=(0, 0.99))


def _draw_rates(panel: Any, found: xarray.Dataset) -> None:
    for family, colour, dashes in zip(RATES, COLOURS, DASHES, strict=False):
        rates = -np.log(found.rates.sel(family=family))
        panel.loglog(found.condition, rates, marker="o", markersize=3, color=colour, linestyle=dashes, label=family)
    panel.set(title="(c) rate, standard parameters", xlabel="condition $L/m$", ylabel=r"$-\log |r|$ a step")
    panel.legend(fontsize="xx-small")
