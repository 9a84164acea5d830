"""The figure."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray
from matplotlib.figure import Figure

from comparisons.plot import COLOURS, DASHES, STYLE

from .judge import kernel_end
from .neuron_descent import DELTA, draw_descent
from .setting import SCALE


def draw(data: list[xarray.Dataset]) -> Figure:
    """The way from rich to kernel by shape, the neuron's end by delta, and what gradient descent makes of delta."""
    (found,) = data
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(1, 3, figsize=(6.8, 2.6), layout="constrained")
        _draw_shapes(axes[0], found)
        _draw_neuron(axes[1], found)
        draw_descent(axes[2], found, rf"(c) descent, $\delta_0 = {DELTA:g}$")
    return figure


def _draw_shapes(panel: Any, found: xarray.Dataset) -> None:
    for i, (norm, label) in enumerate(((1, "least $l_1$"), (2, "least $l_2$"))):
        least = found[f"least_l{norm}"]
        size = np.linalg.norm(least)
        exact, ends = (np.linalg.norm(found[name] - least, axis=-1) / size for name in ("reference", "end"))
        panel.semilogx(found.gap, exact, linestyle=DASHES[i], color=COLOURS[i], linewidth=1.0, label=f"to {label}")
        panel.semilogx(found.gap, ends, "o", color=COLOURS[i], markersize=3)
    panel.plot([], [], "o", color="0.4", markersize=3, label="flow")
    panel.plot([], [], "-", color="0.4", linewidth=1.0, label="least $Q$")
    panel.invert_xaxis()
    panel.set(title=rf"(a) diagonal network, $\alpha = {SCALE:g}$", xlabel="$1 - s$", ylabel="distance, relative")
    panel.legend(fontsize="xx-small", loc="center left")


def _draw_neuron(panel: Any, found: xarray.Dataset) -> None:
    near, shown = kernel_end(found), found.delta.values > 0
    for name, mark, label in (("neuron_reference", "-", "least $q_\\delta$"), ("neuron_end", "o", "flow")):
        apart = np.linalg.norm(found[name].values - near, axis=-1)
        panel.loglog(found.delta[shown], apart[shown], mark, color=COLOURS[0], markersize=3, linewidth=1.0, label=label)
    panel.axhline(apart[0], color="0.5", linewidth=0.8, linestyle=":", label=r"$\delta = 0$")
    panel.set(title="(b) neuron: to the kernel end", xlabel=r"shape $\delta = a^2 - |w|^2$", ylabel="distance")
    panel.legend(fontsize="xx-small", loc="lower left")
