"""The picture of runs to the edge of stability at several learning rates."""

from typing import Any

import matplotlib.pyplot as plt
import xarray
from matplotlib.figure import Figure

from comparisons.plot import COLOURS, DASHES, STYLE

from .edge_runs import FLOW, crossing, has_flow, values


def draw_runs(runs: list[xarray.Dataset]) -> Figure:
    """Loss, sharpness with the thresholds 2/h, and distance to gradient flow, against time h n."""
    with plt.style.context(STYLE):
        figure, panels = plt.subplots(1, 3, figsize=(6.8, 2.4), layout="constrained")
        loss, sharpness, distance = panels
        beside = next(run for run in reversed(runs) if has_flow(run))
        for panel, name in ((loss, "loss"), (sharpness, "sharpness")):
            path = values(beside, "time", FLOW), values(beside, name, FLOW)
            panel.plot(*path, color="black", linewidth=0.9, label="gradient flow")
        for run, colour, dashes in zip(runs, COLOURS, DASHES, strict=False):
            _draw_run(run, panels, {"color": colour, "linestyle": dashes, "linewidth": 1.0})
        loss.set(title="(a) training loss", ylabel=r"$L$", yscale="log")
        sharpness.set(title="(b) sharpness, thresholds $2/h$", ylabel=r"$\lambda_{\max}(\nabla^2 L)$")
        distance.set(title="(c) distance to gradient flow", ylabel=r"$|X(t_n) - x_n|$", yscale="log")
        for panel in panels:
            panel.set_xlabel("time $t = h n$")
            panel.set_xlim(0, values(beside, "time")[-1])
        handles, labels = sharpness.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


def _draw_run(run: xarray.Dataset, panels: Any, style: dict[str, Any]) -> None:
    loss, sharpness, distance = panels
    times, first = values(run, "time"), crossing(run)
    label = f"gradient descent, $h = {run.attrs['learning_rate']:.3g}$"
    loss.plot(times, values(run, "loss"), **style)
    sharpness.plot(times, values(run, "sharpness"), label=label, **style)
    if has_flow(run):
        distance.plot(times[1:], run.distance.sel(flow=FLOW)[1:], **style)
    if first is not None:
        sharpness.axhline(run.attrs["threshold"], color=style["color"], linewidth=0.6, linestyle=":")
        for panel in (sharpness, distance) if has_flow(run) else (sharpness,):
            panel.axvline(times[first], color=style["color"], linewidth=0.6, alpha=0.5)
