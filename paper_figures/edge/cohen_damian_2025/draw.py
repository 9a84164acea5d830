"""The figure."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray
from matplotlib.figure import Figure

from comparisons.plot import COLOURS, DASHES, STYLE

from .judge import past_onset, told
from .setting import CENTRAL, STABLE

RAW = {"color": "0.85", "linewidth": 0.6, "label": "iterates"}
AVERAGED = {"color": "0.55", "linewidth": 2.0, "label": "iterates, averaged"}
TOLD = {"color": COLOURS[0], "linewidth": 0.9, "label": "central flow, or predicted by it"}
STILL = {"color": COLOURS[1], "linewidth": 0.9, "linestyle": DASHES[1], "label": "stable flow"}


def draw(data: list[xarray.Dataset]) -> Figure:
    """A column for each method: loss, effective sharpness, distance, variance of the oscillation."""
    with plt.style.context(STYLE):
        size = (max(3.4, 6.8 * len(data) / 3), 7.6)
        figure, axes = plt.subplots(4, len(data), figsize=size, layout="constrained", squeeze=False)
        for column, found in zip(axes.T, data, strict=True):
            _draw_loss(column[0], found)
            _draw_sharpness(column[1], found)
            _draw_distance(column[2], found)
            _draw_variance(column[3], found)
        for panel, letter in zip(axes.flat, "abcdefghijkl", strict=False):
            panel.set_title(f"({letter}) {panel.get_title()}")
            panel.set_xlabel("step")
        shared = {t: line for panel in axes.flat for line, t in zip(*panel.get_legend_handles_labels(), strict=True)}
        figure.legend(shared.values(), shared, loc="outside lower center", ncols=3, fontsize="x-small")
    return figure


def _draw_loss(panel: Any, found: xarray.Dataset) -> None:
    panel.semilogy(np.arange(found.sizes["every"]), found.every_loss, **RAW)
    panel.semilogy(found.step, found.averaged_loss, **AVERAGED)
    panel.semilogy(found.step, found.loss.sel(side=STABLE), **STILL)
    panel.semilogy(found.step, told(found, "loss"), **TOLD)
    low, high = float(found.averaged_loss.min()), float(found.every_loss.max())
    panel.set_ylim(0.7 * min(low, float(found.loss.sel(side=STABLE).min())), 1.3 * high)
    panel.set(title=found.attrs["method"], ylabel="loss")


def _draw_sharpness(panel: Any, found: xarray.Dataset) -> None:
    top = found.effective_sharpness * found.attrs["learning_rate"]
    panel.axhline(2, color="black", linewidth=0.6, linestyle=":")
    for side, style in (("discrete", AVERAGED), (STABLE, STILL), (CENTRAL, TOLD)):
        panel.plot(found.step, top.sel(side=side), **style)
    # The stable flow may go a hundred times higher.
    seen = top.sel(side="discrete")
    panel.set_ylim(0.9 * float(seen.min()), max(2.7, 1.1 * float(seen.max())))
    panel.set(title="effective sharpness", ylabel=r"$h\,\lambda_{\max}(P^{-1} \nabla^2 L)$")


def _draw_distance(panel: Any, found: xarray.Dataset) -> None:
    for flow, style in ((STABLE, STILL), (CENTRAL, TOLD)):
        panel.semilogy(found.step[1:], found.distance.sel(flow=flow)[1:], **style)
    panel.set(title="distance", ylabel="$|w(n) - m_n|$")


def _draw_variance(panel: Any, found: xarray.Dataset) -> None:
    panel.plot(found.step, found.averaged_variance, **AVERAGED)
    panel.plot(found.step, told(found, "variance"), **TOLD)
    panel.set(title="variance", ylabel=r"$\langle |w_n - m_n|^2 \rangle$")
    late = past_onset(found)
    top = max(float(late.averaged_variance.max()), float(told(late, "variance").max()))
    panel.set_ylim(0, 1.1 * top)
