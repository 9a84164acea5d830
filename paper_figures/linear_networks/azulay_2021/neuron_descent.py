"""What finite steps make of a linear neuron's delta = a^2 - |w|^2, which gradient flow conserves: gradient descent.

Its w stays in the rows of X, as the flow's does, so only delta is another one; it falls wherever it is positive.
"""

from typing import Any

import numpy as np
import xarray

import discrete
from comparisons.plot import COLOURS, DASHES
from comparisons.theorems.order import regression
from landscapes import DataLoss

from ...frame.claim import Claim
from ...frame.interpolators import Vector
from .linear_neuron import DURATION, balance, neuron, neuron_flow, neuron_params, neuron_theta, off_rows

HERE = "derived here: the paper is on the flow"
SEPARATES = "half of this separates neighbouring orders three times over"
DELTA, FIXED_TIME = 1.0, 0.2
RATES = (0.04, 0.02, 0.01, 0.005, 0.0025)
WATCHED_RATE, WATCHED_STEPS = 0.04, 50


def with_descent(found: xarray.Dataset) -> xarray.Dataset:
    """The data with the ends of gradient descent and of the flow from one start, and some of its steps."""
    loss, start = neuron()
    ends = [_descend(loss, start, h, DURATION) for h in RATES]
    watched = _run(loss, start, WATCHED_RATE, WATCHED_STEPS, every=1)
    assert watched.params is not None
    w, a = (np.asarray(leaf) for leaf in watched.params)
    return found.assign(
        flow_end=("input", neuron_flow(loss, start, DELTA)[0]),
        descent_end=(("rate", "input"), [theta for theta, _ in ends]),
        descent_delta=("rate", [delta for _, delta in ends]),
        early_delta=("rate", [_descend(loss, start, h, FIXED_TIME)[1] for h in RATES]),
        watched_w=(("iterate", "input"), w[:, :, 0]),
        watched_a=("iterate", a[:, 0, 0]),
    ).assign_coords(rate=list(RATES))


def _run(loss: DataLoss, start: Vector, rate: float, steps: int, every: int) -> discrete.Trajectory:
    params = neuron_params(start, DELTA)
    return discrete.run(discrete.GradientDescent(rate), loss, params, steps=steps, every=every, keep_params=True)


def _descend(loss: DataLoss, start: Vector, rate: float, duration: float) -> tuple[np.ndarray, float]:
    """(theta, delta) at a time."""
    steps = round(duration / rate)
    end = _run(loss, start, rate, steps, every=steps).final_params
    return neuron_theta(end), float(balance(end))


def judge_descent(found: xarray.Dataset) -> list[Claim]:
    """Four claims: what one step does to delta, what many do, what the end minimizes, and how far it is."""
    return [_each_step(found), _drift(found), _own_delta(found), _ends_apart(found)]


def _each_step(found: xarray.Dataset) -> Claim:
    w, a, x = found.watched_w.values, found.watched_a.values, found.neuron_inputs.values
    gradient = (a[:, None] * w @ x.T - found.neuron_targets.values) @ x / len(x)
    predicted = WATCHED_RATE**2 * (np.sum(w * gradient, -1) ** 2 - a**2 * np.sum(gradient**2, -1))[:-1]
    return Claim(
        statement="a step of gradient descent changes delta by h^2 ((w'g)^2 - a^2 |g|^2), g the gradient in theta",
        source=HERE,
        quantity=f"largest difference to it over the largest change, {len(predicted)} steps of h = {WATCHED_RATE}",
        predicted=(0.0, 1e-12),
        because="exact; rounding of a^2 and |w|^2, 1e-15, over a change of 1e-3 and more",
        measured=float(np.max(np.abs(np.diff(a**2 - np.sum(w**2, -1)) - predicted)) / np.max(np.abs(predicted))),
    )


def _drift(found: xarray.Dataset) -> Claim:
    slope, width = regression(found.rate.values, np.abs(found.early_delta.values - DELTA))
    return Claim(
        statement="over a fixed time gradient descent changes delta by O(h)",
        source=HERE,
        quantity=f"slope of log change of delta at time {FIXED_TIME:g} on log h",
        predicted=(0.85, 1.15),
        because=SEPARATES,
        measured=slope,
        uncertainty=width,
    )


def _own_delta(found: xarray.Dataset) -> Claim:
    ends = zip(found.descent_end.values, found.descent_delta.values.tolist(), strict=True)
    return Claim(
        statement="gradient descent ends where the potential of the delta that is left is least, exactly, at every h",
        source=f"{HERE}: its steps of w stay in the rows of X",
        quantity="part of the gradient with that delta outside the rows of X, relative, largest over h",
        predicted=(0.0, 1e-11),
        because="exact; rounding of 1e-16 a step, in up to 80,000 steps",
        measured=max(off_rows(found, end, delta, DELTA) for end, delta in ends),
    )


def _ends_apart(found: xarray.Dataset) -> Claim:
    slope, width = regression(found.rate.values, np.linalg.norm(found.descent_end - found.flow_end, axis=-1))
    return Claim(
        statement="gradient descent ends within O(h) of the flow's interpolator",
        source=HERE,
        quantity="slope of log distance between the ends on log h",
        predicted=(0.85, 1.15),
        because=SEPARATES,
        measured=slope,
        uncertainty=width,
    )


def draw_descent(panel: Any, found: xarray.Dataset, title: str) -> None:
    """Change of delta and distance of the ends, against the learning rate."""
    lines = {
        rf"$\delta_0 - \delta$ at $t = {FIXED_TIME:g}$": DELTA - found.early_delta.values,
        r"$\delta_0 - \delta$ at the end": DELTA - found.descent_delta.values,
        r"$|\theta - \theta_{\mathrm{flow}}|$ at the end": np.linalg.norm(found.descent_end - found.flow_end, axis=-1),
    }
    for (label, row), colour, dashes in zip(lines.items(), COLOURS, DASHES, strict=False):
        panel.loglog(found.rate, row, "o", color=colour, linestyle=dashes, markersize=3, linewidth=1.0, label=label)
    panel.set_xticks(found.rate.values, [f"{h:g}" for h in found.rate.values], rotation=45)
    panel.minorticks_off()
    panel.set(title=title, xlabel="learning rate $h$", ylabel="change; distance")
    panel.legend(fontsize="xx-small", loc="lower right")
