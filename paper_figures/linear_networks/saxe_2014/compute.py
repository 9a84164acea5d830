"""The runs behind the figure."""

from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import xarray

import comparisons
import discrete
import flows
import landscapes
from comparisons.theorems.order import TIGHT, dopri8

from ...frame.stored import stored
from .setting import (
    DURATION,
    FIRST,
    ORDER_DURATION,
    ORDER_SAMPLES,
    ORDER_STEPS,
    QUICK_ORDER_STEPS,
    QUICK_SEEDS,
    RANDOM_SCALE,
    SAMPLES,
    SEEDS,
    STRENGTHS,
)


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
    observe = {"strengths": landscapes.mode_strengths(problem)}
    flow, members = flows.GradientFlow(discrete.GradientDescent(DURATION / SAMPLES)), discrete.Members(params=starts)
    run = flows.solve(flow, problem.loss, steps=SAMPLES, observe=observe, integrator=dopri8(TIGHT), members=members)
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
