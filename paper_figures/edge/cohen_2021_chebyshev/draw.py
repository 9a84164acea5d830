"""The figure."""

from typing import Any

import matplotlib.pyplot as plt
import xarray
from matplotlib.figure import Figure

import discrete
from comparisons.plot import COLOURS, DASHES, STYLE

from ...frame.edge_runs import FLOW, crossing, has_flow, ratio, values
from .setting import MOMENTUM

NAMES = {discrete.GradientDescent: "gradient descent", discrete.HeavyBall: "heavy ball", discrete.Nesterov: "Nesterov"}


def draw(runs: list[xarray.Dataset]) -> Figure:
    """Above, gradient descent: loss, sharpness, distance to gradient flow. Below, the sharpness with momentum."""
    with plt.style.context(STYLE):
        figure = plt.figure(figsize=(6.8, 4.4), layout="constrained")
        halves: Any = figure.subfigures(2, 1)
        above, below = halves
        _draw_descent(above.subplots(1, 3), [run for run in runs if has_flow(run)])
        cases = dict.fromkeys(run.attrs["case"] for run in runs if not has_flow(run))
        for panel, name, letter in zip(below.subplots(1, len(cases), sharey=True), cases, "defg", strict=False):
            _draw_momentum(panel, [run for run in runs if run.attrs["case"] == name], f"({letter})")
    return figure


def _styles(runs: list[xarray.Dataset]) -> Any:
    for run, colour, dashes in zip(runs, COLOURS, DASHES, strict=False):
        yield run, {"color": colour, "linestyle": dashes, "linewidth": 0.9, "label": f"degree {run.attrs['degree']}"}


def _draw_descent(panels: Any, runs: list[xarray.Dataset]) -> None:
    loss, sharpness, distance = panels
    for run, style in _styles(runs):
        times = values(run, "time")
        loss.semilogy(times, values(run, "loss"), **style)
        sharpness.plot(times, ratio(run), **style)
        sharpness.plot(values(run, "time", FLOW), ratio(run, FLOW), color="0.7", linewidth=1.6, zorder=0)
        distance.semilogy(times[1:], run.distance.sel(flow=FLOW)[1:], **style)
        if (first := crossing(run)) is not None:
            distance.axvline(times[first], color=style["color"], linewidth=0.6, alpha=0.5)
    loss.set(title="(a) gradient descent, $h = 0.1$", ylabel="$L$")
    loss.legend(fontsize="x-small")
    sharpness.axhline(1, color="black", linewidth=0.6, linestyle=":")
    sharpness.set(title="(b) sharpness; grey: gradient flow's", ylabel="$S h / 2$", ylim=(0, 2))
    distance.set(title="(c) distance to gradient flow", ylabel="$|X(t_n) - x_n|$")
    for panel in panels:
        panel.set_xlabel("time $t = h n$")
        panel.set_xlim(0, times[-1])


def _draw_momentum(panel: Any, runs: list[xarray.Dataset], letter: str) -> None:
    for run, style in _styles(runs):
        panel.plot(run.step / 1000, ratio(run), **style)
        panel.set_title(f"{letter} {NAMES[type(MOMENTUM[run.attrs['case']])]}, $b = {run.attrs['momentum']:g}$")
    panel.axhline(1, color="black", linewidth=0.6, linestyle=":")
    panel.set(xlabel="step / 1000", ylim=(0, 1.35), xlim=(0, int(runs[0].step[-1]) / 1000))
    if letter == "(d)":
        panel.set_ylabel("$S$ / threshold")
