"""The figure."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray
from matplotlib.figure import Figure

from comparisons.plot import COLOURS, DASHES, STYLE

from .setting import DECAY, TORQUE_DECAY

MODELS = ("gradient flow", "one counter term", "two counter terms")
LOOKS = [{"color": c, "linestyle": d} for c, d in zip(COLOURS, DASHES, strict=False)][:3]
DOTS = {"color": "black", "marker": "o", "markersize": 3, "linewidth": 0}


def draw(data: list[xarray.Dataset]) -> Figure:
    """The error of gradient flow and its prediction, errors against h, and the four laws of invariant layers."""
    (found,) = data
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(2, 3, figsize=(6.8, 4.6), layout="constrained")
        _draw_gap(axes[0, 0], found)
        _draw_errors(axes[0, 1], found)
        _draw_length(axes[0, 2], found, 0.0, "(c) hidden $|w|^2$, no decay")
        _draw_length(axes[1, 0], found, DECAY, "(d) hidden $|w|^2$, with decay")
        _draw_equilibrium(axes[1, 1], found)
        _draw_total(axes[1, 2], found)
        handles, labels = axes[0, 2].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return figure


def _draw_gap(panel: Any, found: xarray.Dataset) -> None:
    for decay, colour in ((0.0, COLOURS[0]), (DECAY, COLOURS[1])):
        here = found.sel(decay=decay)
        panel.plot(found.time, here.gap, **{**DOTS, "color": colour}, label=f"measured, decay {decay:g}")
        panel.plot(found.time, here.leading_error, color=colour, label="$h |E|$")
    panel.legend(fontsize="xx-small")
    panel.set(title="(a) error of gradient flow", xlabel="time $nh$", ylabel="$|x_n - X(nh)|$")


def _draw_errors(panel: Any, found: xarray.Dataset) -> None:
    here = found.sel(decay=0.0)
    for k, look in enumerate(LOOKS):
        panel.loglog(found.rate, here.error.sel(counter_terms=k), **look, marker="o", markersize=2.5)
    panel.loglog(found.rate, here.corrected_error, color=COLOURS[3], marker="s", markersize=2.5, label="$X + hE$")
    panel.legend(fontsize="xx-small", loc="lower right")
    ticks = found.rate.values[[0, len(found.rate) // 2, -1]]
    panel.set_xticks(ticks, [f"{h:.2g}" for h in ticks])
    panel.minorticks_off()
    panel.set(title="(b) error to time 4", xlabel="$h$", ylabel=r"$\max |x_n - X(nh)|$")


def _draw_length(panel: Any, found: xarray.Dataset, decay: float, title: str) -> None:
    length = found.squared_length.sel(decay=decay).values
    base = length[1] if decay else length[1, 0]
    for row, name, look in zip(length[1:], MODELS, LOOKS, strict=True):
        panel.plot(found.time, row / base, **look, label=name)
    panel.plot(found.time, length[0] / base, **DOTS, label="gradient descent")
    below = "|w_{GF}|^2" if decay else "|w_0|^2"
    panel.set(title=title, xlabel="time $nh$", ylabel=f"$|w|^2 / {below}$")


def _draw_equilibrium(panel: Any, found: xarray.Dataset) -> None:
    shown = found.isel(torque_rate=0)
    h, time = float(shown.torque_rate), found.torque_time.values
    early = time <= 6
    panel.plot(time[early], np.exp(-2 * TORQUE_DECAY * time[early]), **LOOKS[0])
    method, motion = shown.torque_length.values
    panel.plot(time[early], motion[early], **LOOKS[1])
    panel.plot(time[early], method[early], **DOTS)
    for sign, look in ((1, {"color": LOOKS[1]["color"]}), (-1, {"color": "black"})):
        rest = np.sqrt(h / (TORQUE_DECAY * (2 + sign * h * TORQUE_DECAY)))
        panel.axhline(rest, **look, linewidth=0.6, linestyle=":")
    panel.set(title=f"(e) constant torque, $h = {h:g}$", xlabel="time $nh$", ylabel="$|w|^2$")
    panel.set_ylim(0, 1.05)


def _draw_total(panel: Any, found: xarray.Dataset) -> None:
    time, total = found.time.values, found.total.sel(decay=DECAY).values
    for row, look in zip(total[1:], LOOKS, strict=True):
        panel.plot(time, 100 * (row * np.exp(DECAY * time) - 1), **look)
    panel.plot(time, 100 * (total[0] * np.exp(DECAY * time) - 1), **DOTS)
    panel.set(title="(f) output sum, with decay", xlabel="time $nh$", ylabel="% off $e^{-\\mathrm{wd}\\, t}$")
