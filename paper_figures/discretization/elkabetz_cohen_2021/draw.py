"""The figure."""

from typing import Any

import matplotlib.pyplot as plt
import xarray
from matplotlib.figure import Figure

from comparisons.plot import COLOURS, DASHES, STYLE

from .setting import ACTIVATIONS, DEPTH, STARTS


def draw(data: list[xarray.Dataset]) -> Figure:
    """Loss and distances of the networks; order, amplification, and the saddle."""
    (found,) = data
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(3, 3, figsize=(6.8, 6.8), layout="constrained")
        for i, name in enumerate(ACTIVATIONS):
            one = found.sel(network=name)
            _draw_loss(axes[0, i], one, f"({'abc'[i]}) {name} network")
            _draw_distances(axes[1, i], one, f"({'def'[i]}) {name} network")
        for panel in axes[1]:
            panel.set_ylim(float(found.distance.isel(sample=1).min()) / 500, float(found.travelled.max()) * 2)
        _draw_order(axes[2, 0], found)
        _draw_amplification(axes[2, 1], found)
        _draw_saddle(axes[2, 2], found)
        axes[0, 0].legend(fontsize="xx-small")
        axes[1, 0].legend(fontsize="xx-small", loc="lower right")
    return figure


def _draw_loss(panel: Any, one: xarray.Dataset, title: str) -> None:
    for rate, colour, dashes in zip(one.rate.values, COLOURS, DASHES, strict=False):
        panel.plot(one.time, one.loss.sel(rate=rate), color=colour, linestyle=dashes, label=f"$h = {rate:g}$")
    panel.set(title=title, xlabel="time $t = h n$", ylabel="$L$")
    panel.set_ylim(bottom=0)


def _draw_distances(panel: Any, one: xarray.Dataset, title: str) -> None:
    after = one.isel(sample=slice(1, None))
    panel.semilogy(after.time, after.travelled.isel(rate=0), color="black", label="from the start")
    for i, colour in zip((0, -2), COLOURS, strict=False):
        mine, rate = after.isel(rate=i), f"$h = {float(one.rate[i]):g}$"
        panel.semilogy(mine.time, mine.bound, color=colour, linestyle=DASHES[1], label=f"bound, {rate}")
        panel.semilogy(mine.time, mine.distance, color=colour, label=f"to the flow, {rate}")
    smallest, between = float(one.rate[-1]), after.between.isel(rate=0)
    label = f"$h = {float(one.rate[0]):g}$ to ${smallest:g}$"
    panel.semilogy(after.time, between.where(between > 0), color="0.4", linestyle=DASHES[2], label=label)
    panel.set(title=title, xlabel="time $t = h n$", ylabel="distance")


def _draw_order(panel: Any, found: xarray.Dataset) -> None:
    for name, colour, marker in zip(ACTIVATIONS, COLOURS, "osv", strict=False):
        one = found.sel(network=name)
        style = {"color": colour, "marker": marker, "markersize": 3}
        panel.loglog(found.rate, one.distance.max("sample"), label=name, **style)
        panel.loglog(found.rate, one.bound.max("sample"), linestyle=DASHES[1], **style)
    panel.plot([], [], color="0.4", linestyle=DASHES[1], label="bound")
    panel.set(title="(g) largest over the run", xlabel="learning rate $h$", ylabel="distance to the flow")
    panel.set_xticks(found.rate.values, [f"{h:g}" for h in found.rate.values], rotation=45)
    panel.minorticks_off()
    panel.legend(fontsize="xx-small")


def _draw_amplification(panel: Any, found: xarray.Dataset) -> None:
    for scale, colour in zip(found.scale.values, COLOURS, strict=False):
        panel.semilogy(found.deep_time, found.deep_amplification.sel(scale=scale), color=colour, label=f"{scale:g}")
        panel.axhline(scale ** (1 - DEPTH), color=colour, linewidth=0.6, linestyle=":")
    panel.plot([], [], color="0.4", linewidth=0.6, linestyle=":", label="scale$^{-2}$")
    panel.set(title="(h) deep linear network", xlabel="time $t = h n$", ylabel=r"$\exp(-\int \lambda_{\min}\, dt)$")
    panel.legend(title="start scale", fontsize="xx-small", title_fontsize="xx-small", loc="lower right")


def _draw_saddle(panel: Any, found: xarray.Dataset) -> None:
    for start, colour in zip(STARTS, COLOURS, strict=False):
        one = found.sel(start=start).isel(saddle_sample=slice(1, None))
        panel.semilogy(one.saddle_time, one.saddle_distance, color=colour, label=f"start {start} the axis")
        panel.semilogy(one.saddle_time, one.saddle_bound, color="black", linestyle=DASHES[2], linewidth=0.9)
    panel.plot([], [], color="black", linestyle=DASHES[2], linewidth=0.9, label="bound")
    panel.set(title="(i) saddle", xlabel="time $t = h n$", ylabel="distance to the flow")
    panel.legend(fontsize="xx-small", loc="lower right")
