"""Cohen, Kaur, Li, Kolter and Talwalkar 2021, "Gradient descent on neural networks typically occurs at the edge of
stability": a network with one input, fitted to a Chebyshev polynomial, gets there too.

The paper fits polynomials of degrees 3, 4 and 5 at 20 points: the sharpness rises to 2/h without a large network and
without much data.

Here it is the paper's network, 1-100-1 with tanh, square loss, under gradient descent beside gradient flow, and also
under heavy ball and Nesterov's method, which the paper has on CIFAR-10.

The start comes from another generator, so that crossing steps agree in size only. At b = 0.9 the picture is not the
paper's: a crossing can throw the sharpness to 0.4 of the threshold, and it takes thousands of steps to return.
"""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray
from matplotlib.figure import Figure

import discrete
import flows
import landscapes
from comparisons.plot import COLOURS, DASHES, STYLE
from discrete import Method

from .claim import Claim
from .edge_runs import FLOW, PAPER, crossing, edge_run, flow_goes_on, has_flow, plateau, ratio, values
from .stored import load as load, stored

DEGREES, QUICK_DEGREES = (3, 4, 5), (4,)
DESCENT = discrete.GradientDescent(0.1)
MOMENTUM: dict[str, Method] = {
    "heavy_ball_b0.5": discrete.HeavyBall(0.2, 0.5),
    "heavy_ball_b0.9": discrete.HeavyBall(0.1, 0.9),
    "nesterov_b0.5": discrete.Nesterov(0.1, 0.5),
    "nesterov_b0.9": discrete.Nesterov(0.1, 0.9),
}
NAMES = {discrete.GradientDescent: "gradient descent", discrete.HeavyBall: "heavy ball", discrete.Nesterov: "Nesterov"}
QUICK_MOMENTUM = ("heavy_ball_b0.5", "heavy_ball_b0.9")
STEPS, QUICK_STEPS, EVERY = 24_000, 15_000, 50
SEVERE = 0.9


def compute(folder: Path, *, quick: bool) -> list[Path]:
    """One netCDF file for each method and degree."""
    paths, momentum = [], {name: MOMENTUM[name] for name in (QUICK_MOMENTUM if quick else MOMENTUM)}
    for name, method in {"gradient_descent": DESCENT, **momentum}.items():
        for degree in QUICK_DEGREES if quick else DEGREES:
            case = f"cohen_2021_chebyshev_{name}_degree{degree}"
            paths += stored(folder, case, quick=quick, computed=lambda: _run(name, method, degree, quick))
    return paths


def _run(name: str, method: Method, degree: int, quick: bool) -> xarray.Dataset:
    found = edge_run(
        method,
        {FLOW: flows.GradientFlow(method)} if isinstance(method, discrete.GradientDescent) else {},
        landscapes.chebyshev_mlp(degree=degree),
        steps=QUICK_STEPS if quick else STEPS,
        every=EVERY,
        title=f"degree {degree}, {name}: ",
    )
    return found.assign_attrs(case=name, degree=degree, momentum=float(getattr(method, "momentum", 0.0)))


def judge(runs: list[xarray.Dataset]) -> list[Claim]:
    """Gradient descent beside gradient flow, and the plateaus of the methods with momentum."""
    descent, mild, severe = _groups(runs)
    because = "the paper's curves stay within 1.0 to 1.05; 5 % more either way for a network of 301 parameters"
    words = {"quantity": "mean sharpness over the last third of the run, over the threshold; spread over runs"}
    return [
        plateau(descent, because=because, source=f"{PAPER}, appendix on Chebyshev polynomials"),
        _together(descent),
        _apart(descent),
        flow_goes_on(descent),
        plateau(
            mild,
            because=because,
            statement="with momentum, b = 0.5, it hovers around (2 + 2b)/h, for Nesterov around (2 + 2b)/((1 + 2b) h)",
            source=f"{PAPER}, appendix on momentum; the task is ours",
            **words,
        ),
        plateau(
            severe,
            because=because,
            statement="with b = 0.9 the sharpness hovers around (2 + 2b)/h too",
            source=f"{PAPER}, appendix on momentum; the task is ours",
            **words,
        ),
    ]


def _groups(runs: list[xarray.Dataset]) -> tuple[list[xarray.Dataset], list[xarray.Dataset], list[xarray.Dataset]]:
    """Gradient descent, momentum below 0.9, momentum from there."""
    momenta = [(run, run.attrs["momentum"]) for run in runs]
    return (
        [run for run, b in momenta if b == 0],
        [run for run, b in momenta if 0 < b < SEVERE],
        [run for run, b in momenta if b >= SEVERE],
    )


def _together(runs: list[xarray.Dataset]) -> Claim:
    found = [(first, np.flatnonzero(ratio(run, FLOW) > 1)) for run in runs if (first := crossing(run))]
    lags = [first / above[0] if above.size else np.nan for first, above in found]
    return Claim(
        statement="until the sharpness reaches 2/h, gradient descent follows gradient flow",
        source=f"{PAPER}, appendix on gradient flow",
        quantity="time at which gradient descent crosses 2/h, over the flow's; the farthest from 1",
        predicted=(0.988, 1.012),
        because="samples are 0.6 % of that time apart; as much again for the discretization error, on both sides",
        measured=max(lags, key=lambda lag: abs(lag - 1), default=np.nan),
    )


def _apart(runs: list[xarray.Dataset]) -> Claim:
    found = [(run.distance.sel(flow=FLOW).values, first) for run in runs if (first := crossing(run))]
    return Claim(
        statement="past 2/h gradient descent leaves gradient flow",
        source=f"{PAPER}, appendix on gradient flow",
        quantity="distance to gradient flow at the end, over that at the crossing; least over degrees",
        predicted=(10.0, np.inf),
        because="a discretization error that grows like the time would grow threefold",
        measured=min((float(row[-1] / row[first]) for row, first in found), default=np.nan),
    )


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
