"""The figure."""

from typing import Any

import matplotlib.pyplot as plt
import xarray
from matplotlib.figure import Figure

from comparisons.plot import COLOURS, DASHES, STYLE

from .setting import MODELS, RATE

PRODUCT = 2.0
BLUE, VERMILLION, GREEN, PINK, ORANGE, SKY = COLOURS
SHADES = (BLUE, ORANGE, GREEN, PINK, "0.55", SKY, VERMILLION, "black")
ITERATES = {"color": "0.7", "linewidth": 2.0, "label": "iterates, averaged"}
MARKERS = ("o", "s", "^", "v", "D", "P", "X", "*")


def draw(data: list[xarray.Dataset]) -> Figure:
    """Loss, sharpness, variance of the oscillation; distances, errors against cost, the score of the sharpness."""
    (found,) = data
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(2, 3, figsize=(6.8, 5.0), layout="constrained")
        _draw_loss(axes[0, 0], found)
        _draw_sharpness(axes[0, 1], found)
        _draw_variance(axes[0, 2], found)
        _draw_distance(axes[1, 0], found)
        _draw_cost(axes[1, 1], found, "final_distance", "distance at the end")
        _draw_cost(axes[1, 2], found, "loss_error", "error of the averaged loss")
        for panel, letter in zip(axes.flat, "abcdef", strict=True):
            panel.set_title(f"({letter}) {panel.get_title()}")
        handles, labels = axes[1, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize="x-small")
    return figure


def _look(found: xarray.Dataset) -> dict[str, dict[str, Any]]:
    """Colour, marker and dashes of the models that the data hold."""
    return {
        name: {"color": shade, "marker": marker, "linestyle": DASHES[i % len(DASHES)]}
        for i, (name, shade, marker) in enumerate(zip(MODELS, SHADES, MARKERS, strict=True))
        if name in found.model
    }


def _draw_loss(panel: Any, found: xarray.Dataset) -> None:
    panel.semilogy(found.step, found.averaged_loss, **ITERATES)
    for name, label in (("central", "central"), ("edge, order 2", "edge, order 2")):
        look = _look(found)[name]
        panel.semilogy(found.step, found.predicted_loss.sel(flow=name), color=look["color"], linewidth=0.8, label=label)
    flow = found.loss.sel(side="gradient flow")
    panel.semilogy(found.step, flow, color=SHADES[0], linewidth=0.8, linestyle=DASHES[2], label="gradient flow")
    panel.set(title="loss, predicted", xlabel="step", ylabel="loss")
    panel.legend(fontsize="xx-small")


def _draw_sharpness(panel: Any, found: xarray.Dataset) -> None:
    top = found.sharpness.isel(sharpness_index=0) * RATE / 2
    panel.plot(found.step, top.sel(side="discrete"), **ITERATES)
    for name in ("gradient flow", "central", "edge, order 2"):
        look = _look(found)[name]
        panel.plot(found.step, top.sel(side=name), color=look["color"], linewidth=0.8, label=name)
    panel.set(title="sharpness", xlabel="step", ylabel="$S h / 2$")
    panel.legend(fontsize="xx-small")


def _draw_variance(panel: Any, found: xarray.Dataset) -> None:
    panel.plot(found.step, found.averaged_variance, **ITERATES)
    for name in ("central", "edge, order 2"):
        told = found.predicted_variance.sel(flow=name).sum("predicted_variance_index", min_count=1)
        panel.plot(found.step, told, color=_look(found)[name]["color"], linewidth=0.8, label=name)
    panel.set(title="variance of the oscillation", xlabel="step", ylabel=r"$\langle |x_n - m_n|^2 \rangle$")
    panel.legend(fontsize="xx-small")


def _draw_distance(panel: Any, found: xarray.Dataset) -> None:
    for name, look in _look(found).items():
        panel.semilogy(
            found.step[1:],
            found.relative_distance.sel(flow=name)[1:],
            color=look["color"],
            linestyle=look["linestyle"],
            marker=look["marker"],
            markersize=3,
            markevery=0.2,
            linewidth=0.8,
            label=name,
        )
    panel.set(title="distance", xlabel="step", ylabel="$|X - m_n| / |m_n - x_0|$")


def _draw_cost(panel: Any, found: xarray.Dataset, quantity: str, meaning: str) -> None:
    for name, look in _look(found).items():
        here = found.sel(model=name)
        cost = float(here.gradients + PRODUCT * here.hessian_products)
        panel.loglog(cost, float(here[quantity]), color=look["color"], marker=look["marker"], markersize=5, linewidth=0)
    panel.set(title=meaning, xlabel="gradients + 2 products a step", ylabel=meaning)
