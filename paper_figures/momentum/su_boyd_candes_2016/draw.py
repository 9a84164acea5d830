"""The figure."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray
from matplotlib.figure import Figure

from comparisons.plot import COLOURS, DASHES, STYLE

from .setting import CONDITION, FRICTIONS, MODES, RATES, RESTART_CLOCK


def draw(data: list[xarray.Dataset]) -> Figure:
    """Figure 1 of the paper above; scaled errors and restarting below."""
    (found,) = data
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(2, 2, figsize=(6.8, 5.0), layout="constrained")
        _draw_paths(axes[0, 0], found)
        _draw_losses(axes[0, 1], found)
        _draw_scaled(axes[1, 0], found)
        _draw_restarts(axes[1, 1], found)
    return figure


def _draw_paths(panel: Any, found: xarray.Dataset) -> None:
    for h, colour, dashes in zip(RATES, COLOURS, DASHES, strict=False):
        path = found[f"path_method_{h:g}"].values.T
        panel.plot(*path, color=colour, linestyle=dashes, linewidth=0.9, label=f"$s = {h:g}$")
    panel.plot(*found[f"path_flow_{RATES[-1]:g}"].values.T, color="black", linewidth=0.9, label="equation")
    panel.set(title="(a) $f = 0.02 x_1^2 + 0.005 x_2^2$", xlabel="$x_1$", ylabel="$x_2$")
    panel.legend(fontsize="xx-small")


def _draw_losses(panel: Any, found: xarray.Dataset) -> None:
    for h, colour, dashes in zip(RATES, COLOURS, DASHES, strict=False):
        loss = found[f"loss_method_{h:g}"].values
        panel.semilogy(np.arange(len(loss)) * h**0.5, loss, color=colour, linestyle=dashes, label=f"$s = {h:g}$")
    loss = found[f"loss_flow_{RATES[-1]:g}"].values
    times = np.arange(len(loss)) * RATES[-1] ** 0.5
    panel.semilogy(times, loss, color="black", label="equation")
    panel.semilogy(times[1:], 4 / times[1:] ** 2, color="0.6", linestyle=":", label="bound $2|x_0|^2/t^2$")
    panel.set(title="(b) rate", xlabel=r"$t = n\sqrt{s}$", ylabel="$f - f^*$")
    panel.set_ylim(1e-13, 1)
    panel.legend(fontsize="xx-small")


def _draw_scaled(panel: Any, found: xarray.Dataset) -> None:
    for r, colour, dashes in zip(FRICTIONS, COLOURS, DASHES, strict=False):
        scaled = found.time.values**2 * found.gap.sel(r=r).values
        panel.plot(found.time, scaled, color=colour, linestyle=dashes, label=f"$r = {r:g}$")
    panel.set(title="(c) scaled error, logistic regression", xlabel="$t$", ylabel="$t^2 (f - f^*)$")
    panel.set_yscale("log")
    panel.set_ylim(1e-4, 1e3)
    panel.legend(fontsize="xx-small", ncols=2)


def _draw_restarts(panel: Any, found: xarray.Dataset) -> None:
    times, steps = np.arange(found.sizes["fine"]) * RESTART_CLOCK, np.arange(found.sizes["coarse"])
    panel.semilogy(times, found.flow_plain_loss, color=COLOURS[0], linewidth=0.8, label="equation")
    panel.semilogy(steps, found.method_plain_loss, color=COLOURS[5], linestyle=DASHES[1], label="method, $s = 1/L$")
    panel.semilogy(times, found.flow_restarted_loss, color=COLOURS[1], label="equation, restarted")
    panel.semilogy(steps, found.method_restarted_loss, color=COLOURS[4], linestyle=DASHES[1], label="method, restarted")
    panel.set(title=f"(d) restarts, {MODES} modes, $L/\\mu = {CONDITION:g}$", xlabel="$t$", ylabel="$f - f^*$")
    panel.legend(fontsize="xx-small", loc="lower left")
