"""Saxe, McClelland and Ganguli 2014, "Exact solutions to the nonlinear dynamics of learning in deep linear neural
networks": the sigmoids by which a network of two weight matrices learns the modes of its data.

The paper solves gradient flow of linear networks whose modes start decoupled: a singular mode of the data, of
strength s, is learned along u' = 2 u (s - u), in a time inversely proportional to s. Small random starts nearly follow.

Shown here: gradient flow of the full matrices against these sigmoids, from decoupled and from small random starts;
where the delay of random starts comes from; gradient descent and its modified flow of order 2 beside both. What depth
costs is in the figure saxe_2014_depth.

Not as in the paper: the data are matrices with 5 chosen singular values and white inputs, not a hierarchy of 31 modes,
and there is no tanh network. The formula for the delay is ours.
"""

from pathlib import Path
from typing import Any

import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import scipy.special
import xarray
from matplotlib.figure import Figure

import comparisons
import discrete
import flows
import landscapes
from comparisons.order import TIGHT, dopri8, regression
from comparisons.plot import COLOURS, DASHES, STYLE
from landscapes import mode_sigmoid, mode_time

from .claim import Claim
from .stored import load as load, stored

PAPER = "Saxe, McClelland and Ganguli 2014"
STRENGTHS = (4.0, 3.0, 2.0, 1.5, 1.0)
FIRST, RANDOM_SCALE = 1e-3, 1e-3
DURATION, SAMPLES = 12.0, 240
SEEDS, QUICK_SEEDS = 40, 10
ORDER_DURATION, ORDER_SAMPLES = 6.0, 40
ORDER_STEPS, QUICK_ORDER_STEPS = (240, 320, 440, 640, 880), (240, 320, 440, 640)


def compute(folder: Path, *, quick: bool) -> list[Path]:
    """One netCDF file: strengths of the modes along gradient flow, gradient descent and its modified flow."""
    return stored(folder, "saxe_2014", quick=quick, computed=lambda: _computed(quick))


def _computed(quick: bool) -> xarray.Dataset:
    problem = landscapes.deep_linear(depth=2, width=len(STRENGTHS), singular_values=STRENGTHS)
    found = _flows(problem, QUICK_SEEDS if quick else SEEDS)
    found |= _descent(problem, QUICK_ORDER_STEPS if quick else ORDER_STEPS)
    return xarray.Dataset(found, coords={"mode": list(STRENGTHS)})


def _flows(problem: landscapes.Problem, seeds: int) -> dict[str, Any]:
    """Strengths along gradient flow from one decoupled and many random starts."""
    random, size = np.random.default_rng(0), len(STRENGTHS)
    small = [RANDOM_SCALE * random.standard_normal((seeds, size, size)) for _ in range(2)]
    decoupled = landscapes.decoupled_start(problem, FIRST)
    starts = [jnp.concatenate([one[None], many]) for one, many in zip(decoupled, small, strict=True)]
    loss = landscapes.SideBySide(problem.loss)
    observe = {"strengths": loss.each(landscapes.mode_strengths(problem))}
    flow = flows.GradientFlow(discrete.GradientDescent(DURATION / SAMPLES))
    run = flows.solve(flow, loss, starts, steps=SAMPLES, observe=observe, integrator=dopri8(TIGHT))
    strengths = run.observations["strengths"]
    left, right = landscapes.mode_bases(problem)
    # What grows of a mode is a = b = (a_0 + b_0)/2; what it shares with those of stronger modes does not stay.
    growing = (left.T @ small[0] + np.swapaxes(small[1] @ right.T, 1, 2)) / 2
    triangle = np.linalg.qr(np.swapaxes(growing, 1, 2), mode="r")
    return {
        "time": ("sample", run.times),
        "decoupled": (("sample", "mode"), strengths[:, 0]),
        "random": (("sample", "seed", "mode"), strengths[:, 1:]),
        "random_first": (("seed", "mode"), np.sum(growing**2, axis=2)),
        "random_kept": (("seed", "mode"), np.diagonal(triangle, axis1=1, axis2=2) ** 2),
    }


def _descent(problem: landscapes.Problem, many_steps: tuple[int, ...]) -> dict[str, Any]:
    """Strengths along gradient descent and its modified flow of order 2, for several learning rates."""
    start, observe = landscapes.decoupled_start(problem, FIRST), {"strengths": landscapes.mode_strengths(problem)}
    paths = []
    for steps in many_steps:
        method = discrete.GradientDescent(ORDER_DURATION / steps)
        run = comparisons.compare(
            method,
            {"modified": flows.ModifiedFlow(method, order=2)},
            problem.loss,
            start,
            steps=steps,
            every=steps // ORDER_SAMPLES,
            observe=observe,
            integrator=dopri8(TIGHT),
        )
        paths.append([side.observations["strengths"] for side in (run.discrete, run.flows["modified"])])
    return {
        "rate": ("steps", ORDER_DURATION / np.array(many_steps)),
        "order_time": ("order_sample", np.linspace(0, ORDER_DURATION, ORDER_SAMPLES + 1)),
        "compared": (("steps", "side", "order_sample", "mode"), paths),
    }


def judge(data: list[xarray.Dataset]) -> list[Claim]:
    """The sigmoids, the times of random starts, and the orders of gradient flow and modified flow."""
    (found,) = data
    return [_sigmoids(found), *_random_starts(found), *_orders(found)]


def _sigmoids(found: xarray.Dataset) -> Claim:
    exact = mode_sigmoid(found.time.values[:, None], found.mode.values, FIRST)
    return Claim(
        statement="from a decoupled start every mode rises along u = s e^(2st) / (e^(2st) - 1 + s/u_0)",
        source=f"{PAPER}, equation 12",
        quantity=f"largest distance of gradient flow to it, over s; {len(STRENGTHS)} modes, u_0 = {FIRST:g}",
        predicted=(0.0, 1e-9),
        because="the relative tolerance of the solver, 1e-12, times s/u_0, by which an early error grows",
        measured=float(np.max(np.abs(found.decoupled.values - exact) / found.mode.values)),
    )


def half_times(found: xarray.Dataset) -> np.ndarray:
    """(seed, mode): when gradient flow from a small random start is at s/2; log(u/(s - u)) is straight in between."""
    time, u, strengths = found.time.values, found.random.values, found.mode.values
    after = np.argmax(u > strengths / 2, axis=0)
    # At the start u may be below 0, far from where it is asked for.
    odds = np.log(np.maximum(u, 1e-12) / np.maximum(strengths - u, 1e-12))
    low, high = (np.take_along_axis(odds, (after + shift)[None], 0)[0] for shift in (-1, 0))
    return time[after - 1] - low / (high - low) * (time[1] - time[0])


def ratios(found: xarray.Dataset, first: str) -> np.ndarray:
    """(seed, mode): half-learning times over log(s/u_0 - 1)/(2 s)."""
    strengths = found.mode.values
    return half_times(found) / mode_time(strengths / 2, 2, strengths, found[first].values)


def _random_starts(found: xarray.Dataset) -> list[Claim]:
    strengths, seeds, modes = found.mode.values, found.sizes["seed"], found.sizes["mode"]
    kept, raw = ratios(found, "random_kept"), ratios(found, "random_first")
    slope, width = regression(strengths, np.mean(kept / (2 * strengths), axis=0))
    # In N hidden units the last of N modes keeps a share of u_0 that has the distribution beta(1/2, (N - 1)/2).
    inverse_log = float(np.mean(1 / np.log(strengths[-1] / found.random_first.values[:, -1] - 1)))
    delay = inverse_log * (scipy.special.digamma(modes / 2) - scipy.special.digamma(0.5))
    scatter = inverse_log * np.sqrt(scipy.special.polygamma(1, 0.5) - scipy.special.polygamma(1, modes / 2))
    width_of_delay = float(2 * scatter / seeds**0.5)
    worst = int(np.argmax(np.abs(kept.mean(axis=0) - 1)))
    return [
        Claim(
            statement="the time in which a mode is learned is inversely proportional to its strength s",
            source=f"{PAPER}, section 1.3",
            quantity=f"slope on log s of log(half-learning time / log(s/u_0 - 1)), random starts, {seeds} seeds",
            predicted=(-1.15, -0.85),
            because="separates neighbouring powers three times over; u_0 as in the fourth claim",
            measured=slope,
            uncertainty=width,
        ),
        Claim(
            statement="small random starts follow the sigmoids, delayed by the competition of the modes",
            source=f"{PAPER}, figure 3; size of the delay derived here",
            quantity=f"delay of half-learning of the weakest of {modes} modes, as a fraction of log(s/u_0 - 1)/(2 s), "
            f"u_0 = |a + b|^2/4 at the start; mean of {seeds} seeds",
            predicted=(float(delay - width_of_delay), float(delay + width_of_delay)),
            because="(psi(N/2) - psi(1/2)) / log(s/u_0), psi the digamma function, from the share of u_0 that stronger "
            "modes leave; 2 standard errors of the mean",
            measured=float(raw[:, -1].mean() - 1),
        ),
        Claim(
            statement="once u_0 leaves out what a + b shares with stronger modes, random starts are on the sigmoids",
            source="derived here",
            quantity="mean delay of half-learning, as a fraction of log(s/u_0 - 1)/(2 s); the farthest mode, "
            f"s = {strengths[worst]:g}",
            predicted=(-0.02, 0.02),
            because="a tenth of the delay that this explains",
            measured=float(kept.mean(axis=0)[worst] - 1),
            uncertainty=float(2 * kept.std(axis=0)[worst] / seeds**0.5),
        ),
    ]


def errors(found: xarray.Dataset) -> dict[int, np.ndarray]:
    """Largest distances over s for each learning rate: 1, gradient descent to the sigmoids; 2, to the modified flow."""
    exact = mode_sigmoid(found.order_time.values[:, None], found.mode.values, FIRST)
    descent, modified = (found.compared.values[:, side] for side in (0, 1))
    gaps = {1: descent - exact, 2: descent - modified}
    return {order: np.max(np.abs(gap) / found.mode.values, axis=(1, 2)) for order, gap in gaps.items()}


def _orders(found: xarray.Dataset) -> list[Claim]:
    texts = {
        1: ("gradient descent at small rates follows the sigmoids; measured: to O(h)", f"{PAPER}, equations 2 and 12"),
        2: ("the flow of L + (h/4) |grad L|^2 follows it to O(h^2)", "Barrett and Dherin 2021, on these networks"),
    }
    fits = {order: regression(found.rate.values, row) for order, row in errors(found).items()}
    return [
        Claim(
            statement=statement,
            source=source,
            quantity=f"slope of log distance on log h, {len(STRENGTHS)} modes up to time {ORDER_DURATION:g}",
            predicted=(order - 0.15, order + 0.15),
            because="separates neighbouring orders three times over",
            measured=fits[order][0],
            uncertainty=fits[order][1],
        )
        for order, (statement, source) in texts.items()
    ]


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
