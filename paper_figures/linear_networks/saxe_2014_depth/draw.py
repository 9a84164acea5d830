"""The figure."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray
from matplotlib.figure import Figure

import landscapes
from comparisons.plot import COLOURS, DASHES, STYLE

from .judge import at_best
from .setting import DURATION, FIRST, FLOW_FIRST, FLOWS, STARTS, STRENGTH, STRENGTHS


def draw(data: list[xarray.Dataset]) -> Figure:
    """Modes of deeper networks, iterations against depth, and the best rates."""
    (found,) = data
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(1, 3, figsize=(6.8, 2.6), layout="constrained")
        _draw_modes(axes[0], found)
        _draw_iterations(axes[1], found)
        _draw_rates(axes[2], found)
    return figure


def _draw_modes(panel: Any, found: xarray.Dataset) -> None:
    for depth, dashes in zip(FLOWS, DASHES, strict=False):
        for strength, colour in zip(STRENGTHS, COLOURS, strict=False):
            label = f"$d = {depth}$" if strength == STRENGTHS[0] else None
            u = found.strength.sel(flow=depth, mode=strength)
            panel.plot(found.time, u, color=colour, linestyle=dashes, label=label)
            shown = np.linspace(0.05, 0.95, 7) * strength
            exact = landscapes.mode_time(shown, depth, strength, FLOW_FIRST)
            panel.plot(exact, shown, "o", color="black", markersize=1.8, zorder=3)
    panel.plot([], [], "o", color="black", markersize=1.8, label="closed form")
    panel.set(title="(a) modes, decoupled start", xlabel="time $t$", ylabel="strength $u$ of a mode")
    panel.set_xlim(0, DURATION)
    panel.legend(fontsize="xx-small", loc="upper right", bbox_to_anchor=(1.0, 0.88))


def _draw_iterations(panel: Any, found: xarray.Dataset) -> None:
    for first, colour in zip(FIRST, COLOURS, strict=False):
        row = found.at_estimate.sel(first=first)
        label = f"decoupled, $u_0 = 10^{{{round(np.log10(first))}}}$"
        panel.loglog(found.depth, row, "o-", color=colour, markersize=2, linewidth=0.9, label=label)
    for start, colour, dashes in zip(STARTS, COLOURS[3:], DASHES[1:], strict=False):
        counts = at_best(found, start)
        bars = 2 * counts.std(axis=0) / len(counts) ** 0.5
        style = {"color": colour, "linestyle": dashes, "linewidth": 0.9, "markersize": 2.5}
        panel.errorbar(found.start_depth, counts.mean(axis=0), bars, fmt="s", label=start, **style)
    panel.set(title="(b) iterations", xlabel="depth $d$", ylabel="iterations to learn")
    panel.set_ylim(3, 3e5)
    panel.legend(fontsize="xx-small", loc="upper left")


def _draw_rates(panel: Any, found: xarray.Dataset) -> None:
    depths = found.depth.values.astype(float)
    panel.loglog(depths, found.best_rate, "o", color=COLOURS[1], markersize=3, label="best, $u_0 = 10^{-2}$")
    estimate = 1 / (depths * STRENGTH ** (2 - 2 / depths))
    panel.loglog(depths, estimate, color="black", linewidth=0.8, label="$1/(d s^{2 - 2/d})$")
    for start, colour, marker in zip(STARTS, COLOURS[3:], "s^", strict=False):
        mean = found.started.sel(start=start).mean("seed").values
        best = np.take_along_axis(found.start_rate.values, np.argmin(mean, axis=1)[:, None], axis=1)
        panel.loglog(found.start_depth, best, marker, color=colour, markersize=3, label=start)
    panel.set(title="(c) best learning rate", xlabel="depth $d$", ylabel="learning rate $h$")
    panel.legend(fontsize="xx-small")
