"""The figure."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter

from comparisons.plot import COLOURS, DASHES, STYLE

from . import reduced_map
from .setting import MODELS, SAID


def draw(data: list[xarray.Dataset]) -> Figure:
    """The toy and the distances; below, for each run of the network, displacement, sharpness and loss."""
    (found,) = data
    rows = 1 + found.sizes["run"]
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(rows, 3, figsize=(6.8, 2.1 * rows + 0.4), layout="constrained")
        reduced_map.draw_plane(axes[0, 0], found)
        reduced_map.draw_energy(axes[0, 1], found)
        _draw_distance(axes[0, 2], found)
        for panels, name in zip(axes[1:], found.run.values[::-1], strict=True):
            _draw_run(panels, found.sel(run=name), str(name))
        for panel, letter in zip(axes.flat, "abcdefghi", strict=False):
            panel.set_title(f"({letter}) {panel.get_title()}")
        shared = {
            text: line for panel in axes[1] for line, text in zip(*panel.get_legend_handles_labels(), strict=True)
        }
        figure.legend(shared.values(), shared, loc="outside lower center", ncols=4, fontsize="x-small")
    return figure


def _draw_distance(panel: Any, found: xarray.Dataset) -> None:
    for model, colour in zip(MODELS, (COLOURS[2], COLOURS[4]), strict=True):
        for name, dashes in zip(found.run.values[::-1], DASHES, strict=False):
            row = found.distance.sel(run=name, model=model)[1:]
            panel.semilogy(row.sample, row, color=colour, linestyle=dashes, linewidth=1.0)
    for name, dashes in zip(found.run.values[::-1], DASHES, strict=False):
        panel.plot([], [], color="0.4", linestyle=dashes, linewidth=1.0, label=f"from {name}")
    panel.set(title="distance", xlabel="step of the run", ylabel="$|X - m_n|$")
    panel.legend(fontsize="xx-small", loc="lower right")


def _draw_run(panels: Any, here: xarray.Dataset, name: str) -> None:
    size, excess, loss = panels
    h, steps = here.attrs["learning_rate"], np.arange(here.sizes["step"])
    iterates = {"color": "0.7", "linewidth": 2.0, "label": "gradient descent"}
    size.plot(steps, np.abs(here.x), **iterates)
    delta = np.sqrt(2 * np.maximum(here.alpha, 0) / here.beta)
    size.plot(steps, delta, color="black", linewidth=0.8, linestyle=DASHES[1], label=r"$\delta$")
    excess.plot(steps, (here.constrained_sharpness + here.y) * h / 2, **iterates)
    if "sharpness" in here:
        style = {"color": "black", "linewidth": 0.9, "linestyle": ":", "label": "top eigenvalue at $m_n$"}
        excess.plot(here.sample[1:], here.sharpness[1:] * h / 2, **style)
    loss.semilogy(steps, here.loss, **iterates)
    loss.semilogy(steps, here.constrained_loss, color=COLOURS[2], linewidth=0.9, label="constrained trajectory")
    loss.semilogy(
        here.sample, here.flow_loss, color=COLOURS[4], linewidth=0.9, linestyle=DASHES[2], label="gradient flow"
    )
    for displacement, colour, dashes in zip(here.displacement.values, COLOURS, DASHES, strict=False):
        x, y = (here[key].sel(displacement=displacement) for key in SAID)
        style = {"color": colour, "linestyle": dashes, "linewidth": 0.9, "label": f"predicted, {displacement} map"}
        size.plot(steps, np.abs(x), **style)
        excess.plot(steps, (here.constrained_sharpness + y) * h / 2, **style)
        loss.semilogy(steps, here.constrained_loss + x**2 / h, **style)
    size.set(title=f"displacement, from {name}", xlabel="step of the run", ylabel="$|x|$")
    excess.set(title=f"sharpness, from {name}", xlabel="step of the run", ylabel="$S h / 2$")
    loss.set(title=f"loss, from {name}", xlabel="step of the run", ylabel="$L$")
    loss.yaxis.set_major_formatter(FormatStrFormatter("%.2f"))
    loss.yaxis.set_minor_formatter(FormatStrFormatter("%.2f"))
