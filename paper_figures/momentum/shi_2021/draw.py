"""The figure."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray
from matplotlib.figure import Figure

from comparisons.plot import COLOURS, DASHES, STYLE

from .judge import CONVEX_PROBLEMS, LABELS, gradient_bound, relative_gap_error
from .setting import CONVEX_STEPS, ENERGY_STEPS, KINDS, MODELS, MODES, PLANE_RATE, RATE, STEPS

GAP_LABELS = {"low": "Su, Boyd, Candes", "high": "high resolution", "next": "the same to order 3"}


def draw(data: list[xarray.Dataset]) -> Figure:
    """The example above; orders, NAG-C's loss and gradient below."""
    (found,) = data
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(2, 3, figsize=(6.8, 4.8), layout="constrained")
        _draw_plane(axes[0, 0], found)
        _draw_distance(axes[0, 1], found)
        _draw_orders(axes[0, 2], found)
        _draw_energies(axes[1, 0], found)
        _draw_gradient(axes[1, 1], found)
        _draw_gap(axes[1, 2], found)
    return figure


def _draw_plane(panel: Any, found: xarray.Dataset) -> None:
    for kind, colour in zip(KINDS, COLOURS, strict=False):
        panel.plot(*found[f"{kind}, {PLANE_RATE:g}"].values.T, ".", color=colour, markersize=2.5, label=kind)
        panel.plot(*found[f"{kind}, corrected, {PLANE_RATE:g}"].values.T, color=colour, linewidth=0.7)
    low = found[f"heavy ball, low, {PLANE_RATE:g}"].values.T
    panel.plot(*low, color="black", linestyle=DASHES[1], linewidth=0.8, label="low resolution")
    panel.set(title=f"(a) $s = {PLANE_RATE:g}$", xlabel="$x_1$", ylabel="$x_2$")
    panel.set_ylim(-1.0, 1.8)
    panel.legend(fontsize="xx-small", loc="upper left", title="lines: high resolution", title_fontsize="xx-small")


def _draw_distance(panel: Any, found: xarray.Dataset) -> None:
    steps = np.arange(STEPS + 1)
    for kind, dashes in zip(KINDS, DASHES, strict=False):
        for model, colour in zip(MODELS, COLOURS, strict=False):
            row = found[f"distance, {kind}, {model}, {RATE:g}"]
            label = LABELS[model] if kind == "NAG-SC" else None
            panel.semilogy(steps[1:], row[1:], color=colour, linestyle=dashes, linewidth=0.9, label=label)
    panel.set(title=f"(b) $s = {RATE:g}$; heavy ball dashed", xlabel="step $n$", ylabel=r"$|x_n - X(n\sqrt{s})|$")
    panel.set_ylim(1e-5, 30)
    panel.legend(fontsize="xx-small", loc="upper right")


def _draw_orders(panel: Any, found: xarray.Dataset) -> None:
    roots = found.rate.values**0.5
    for kind, dashes in zip(KINDS, DASHES, strict=False):
        for model, colour in zip(MODELS, COLOURS, strict=False):
            row = found[f"error, {kind}"].sel(model=model)
            panel.loglog(roots, row, marker="o", markersize=2.5, color=colour, linestyle=dashes, linewidth=0.9)
    ends = roots[[0, -1]]
    panel.set_xticks(ends, [f"{root:.2g}" for root in ends])
    panel.minorticks_off()
    panel.set(title="(c) orders", xlabel=r"$\sqrt{s}$", ylabel="largest distance, $t \\leq 2$")


def _draw_energies(panel: Any, found: xarray.Dataset) -> None:
    steps = np.arange(0, ENERGY_STEPS + 1, 3)
    for name, colour in zip(("NAG-SC", "heavy ball", "NAG-C"), COLOURS, strict=False):
        for side, dashes, width in (("flow", "-", 1.6), ("method", DASHES[2], 1.0)):
            energy = found[f"energy, {name}, {side}"].values
            shade = colour if side == "flow" else "black"
            label = name if side == "flow" else ("methods" if name == "NAG-C" else None)
            panel.semilogy(steps, energy / energy[0], color=shade, linestyle=dashes, linewidth=width, label=label)
    panel.set(title="(d) energies, logistic digits", xlabel="step $n$", ylabel="$E(t) / E(0)$")
    panel.legend(fontsize="xx-small")


def _draw_gradient(panel: Any, found: xarray.Dataset) -> None:
    times = np.arange(CONVEX_STEPS + 1) + 1.5
    panel.loglog(times, found["gradient, flow"], color=COLOURS[0], label="equation")
    panel.loglog(times, found["gradient, method"], color=COLOURS[1], linestyle=DASHES[1], label="NAG-C")
    panel.loglog(times[1:], gradient_bound(found)[1:], color="0.6", linestyle=":", label="bound, $t^{-3}$")
    panel.set(title=f"(e) NAG-C, {MODES} modes, $s = 1/L$", xlabel="$t$", ylabel=r"$\min |\nabla f|^2$")
    panel.legend(fontsize="xx-small")


def _draw_gap(panel: Any, found: xarray.Dataset) -> None:
    steps = np.arange(CONVEX_STEPS + 1)
    for problem, dashes in zip(CONVEX_PROBLEMS, ("-", DASHES[1]), strict=True):
        for (kind, name), colour in zip(GAP_LABELS.items(), COLOURS, strict=False):
            error = relative_gap_error(found, problem, kind)
            label = name if problem == "quadratic" else None
            panel.semilogy(steps[1:], error[1:], color=colour, linestyle=dashes, linewidth=0.8, label=label)
    panel.axhline(0.05, color="0.75", linewidth=0.8, zorder=0)
    panel.set(title="(f) error of $f - f^*$; logistic dashed", xlabel="step $n$")
    panel.set_ylim(1e-6, 1e6)
    panel.legend(fontsize="xx-small", loc="upper right")
