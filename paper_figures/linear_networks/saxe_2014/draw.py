"""The figure."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import scipy.special
import xarray
from matplotlib.figure import Figure

from comparisons.plot import COLOURS, DASHES, STYLE
from landscapes import mode_sigmoid

from .judge import errors, ratios
from .setting import DURATION, STRENGTHS


def draw(data: list[xarray.Dataset]) -> Figure:
    """Modes from a random start, times of half-learning, and errors against the learning rate."""
    (found,) = data
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(1, 3, figsize=(6.8, 2.6), layout="constrained")
        _draw_modes(axes[0], found)
        _draw_delays(axes[1], found)
        _draw_errors(axes[2], found)
    return figure


def _draw_modes(panel: Any, found: xarray.Dataset) -> None:
    # The seed in the middle of all, by the delay of the weakest mode.
    seed = int(np.argsort(ratios(found, "random_first")[:, -1])[found.sizes["seed"] // 2])
    lines = {"random_first": (DASHES[2], "$u_0$ from $a + b$"), "random_kept": (DASHES[1], "without stronger modes")}
    for mode, (strength, colour) in enumerate(zip(STRENGTHS, COLOURS, strict=False)):
        panel.plot(found.time, found.random[:, seed, mode], color=colour, linewidth=1.8)
        for first, (dashes, label) in lines.items():
            curve = mode_sigmoid(found.time.values, strength, float(found[first][seed, mode]))
            label = label if mode == 0 else None
            panel.plot(found.time, curve, color="black", linestyle=dashes, linewidth=0.8, label=label)
    panel.set(title="(a) from a small random start", xlabel="time $t$", ylabel="strength $u$ of a mode")
    panel.set_xlim(1, DURATION)
    panel.set_ylim(top=5.2)
    panel.legend(title="sigmoids", fontsize="xx-small", title_fontsize="xx-small", loc="upper right")


def _draw_delays(panel: Any, found: xarray.Dataset) -> None:
    names = {"random_first": "all of $a + b$", "random_kept": "without stronger modes"}
    for (first, label), colour, marker in zip(names.items(), COLOURS, "os", strict=False):
        rows = ratios(found, first) - 1
        bars = 2 * rows.std(axis=0) / len(rows) ** 0.5
        panel.errorbar(STRENGTHS, rows.mean(axis=0), bars, fmt=marker, color=colour, markersize=3, label=label)
    modes = len(STRENGTHS)
    left = (modes - np.arange(modes)) / 2
    inverse_log = np.mean(1 / np.log(found.mode.values / found.random_first.values - 1), axis=0)
    expected = inverse_log * (scipy.special.digamma(modes / 2) - scipy.special.digamma(left))
    panel.plot(STRENGTHS, expected, color="black", linestyle=DASHES[1], linewidth=0.9, label="derived")
    panel.set(title="(b) delay of half-learning", xlabel="strength $s$", ylabel="fraction of $\\log(s/u_0 - 1)/(2s)$")
    panel.legend(title="$u_0$ from", fontsize="xx-small", title_fontsize="xx-small")


def _draw_errors(panel: Any, found: xarray.Dataset) -> None:
    labels = {1: "to the sigmoids", 2: "to the modified flow"}
    for (order, row), colour, dashes in zip(errors(found).items(), COLOURS, DASHES, strict=False):
        panel.loglog(found.rate, row, "o", color=colour, markersize=3, linestyle=dashes, label=labels[order])
    panel.set(title="(c) gradient descent", xlabel="learning rate $h$", ylabel="largest distance over $s$")
    panel.set_xticks(found.rate.values, [f"{h:.3f}" for h in found.rate.values], rotation=45)
    panel.minorticks_off()
    panel.legend(fontsize="xx-small")
