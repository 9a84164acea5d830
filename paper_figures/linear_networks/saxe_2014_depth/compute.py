"""The runs behind the figure."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray
from jaxtyping import Array

import discrete
import flows
import landscapes
from comparisons.console.progress_bar import progress_bar
from comparisons.theorems.order import TIGHT, dopri8

from ...frame.stored import stored
from .setting import (
    DEPTHS,
    DURATION,
    FIRST,
    FLOW_FIRST,
    FLOWS,
    LEARNED,
    LEFT,
    QUICK_START_DEPTHS,
    QUICK_START_SEEDS,
    QUICK_START_STEPS,
    RATES,
    SAMPLES,
    START_DEPTHS,
    START_RATES,
    START_SEEDS,
    START_STEPS,
    STARTS,
    STRENGTH,
    STRENGTHS,
    WIDTH,
)


def compute(folder: Path, *, quick: bool) -> list[Path]:
    """One netCDF file: modes along gradient flow, and iterations of gradient descent against depth."""
    return stored(folder, "saxe_2014_depth", quick=quick, computed=lambda: _computed(quick))


def _computed(quick: bool) -> xarray.Dataset:
    depths, seeds, steps = (
        (QUICK_START_DEPTHS, QUICK_START_SEEDS, QUICK_START_STEPS)
        if quick
        else (START_DEPTHS, START_SEEDS, START_STEPS)
    )
    coords = {"flow": list(FLOWS), "mode": list(STRENGTHS), "first": list(FIRST), "depth": list(DEPTHS)}
    coords |= {"start": list(STARTS), "start_depth": list(depths)}
    return xarray.Dataset(_flows() | _decoupled() | _started(depths, seeds, steps), coords=coords)


def _flows() -> dict[str, Any]:
    """Strengths of modes of full matrices along gradient flow; the depths share no weights, and one run moves both."""
    problems = {
        str(depth): landscapes.deep_linear(depth=depth, width=len(STRENGTHS), singular_values=STRENGTHS)
        for depth in FLOWS
    }
    start = {name: landscapes.decoupled_start(problem, FLOW_FIRST) for name, problem in problems.items()}

    def loss(networks: Any) -> Any:
        return sum(problems[name].loss(weights) for name, weights in networks.items())

    def strengths(networks: Any) -> Any:
        return jnp.stack([landscapes.mode_strengths(problems[name])(networks[name]) for name in problems])

    flow = flows.GradientFlow(discrete.GradientDescent(DURATION / SAMPLES))
    observe = {"strengths": strengths}
    run = flows.solve(flow, loss, start, steps=SAMPLES, observe=observe, integrator=dopri8(TIGHT))
    return {"time": ("sample", run.times), "strength": (("sample", "flow", "mode"), run.observations["strengths"])}


def iterations(depth: np.ndarray, rate: np.ndarray, first: float) -> np.ndarray:
    """Steps of gradient descent until u stays within `first` of s, from `first`; infinite where it never does.

    From a decoupled start all d weights of a mode stay equal, and a step is a <- a + h a^(d-1) (s - a^d).
    """
    most = round(4 * STRENGTH / first) + 100
    weight = first ** (1 / depth) * np.ones_like(rate)
    last = np.zeros(weight.shape)
    with np.errstate(over="ignore", invalid="ignore"):
        for step in range(1, most + 1):
            weight = weight + rate * weight ** (depth - 1) * (STRENGTH - weight**depth)
            last[~(np.abs(STRENGTH - weight**depth) < first)] = step
    return np.where(last < most, last + 1, np.inf)


def _decoupled() -> dict[str, Any]:
    """Iterations of one mode: at the paper's estimate of the best rate, and at the best of many."""
    depths = np.array(DEPTHS, float)
    estimate = 1 / (depths * STRENGTH ** (2 - 2 / depths))
    rates = estimate[:, None] * RATES
    best = np.argmin(iterations(depths[:, None], rates, FIRST[1]), axis=1)
    return {
        "at_estimate": (("first", "depth"), [iterations(depths, estimate, first) for first in FIRST]),
        "best_rate": ("depth", rates[np.arange(len(depths)), best]),
    }


def _started(depths: tuple[int, ...], seeds: int, steps: int) -> dict[str, Any]:
    """Iterations until LEFT of |T|^2/2 is left, `steps` if never, at every rate; orthogonal and Gaussian matrices."""
    deepest, random = max(depths), np.random.default_rng(0)
    teacher = _orthogonal(random)[:, : len(LEARNED)] * np.array(LEARNED)

    def losses(weights: Array, depth: Array, rate: Array) -> Array:
        def layer(x: Array, at: Any) -> tuple[Array, None]:
            # Layers beyond the depth hand on what they get, so that one program serves all depths.
            return jnp.where(at[0] < depth, x @ at[1], x), None

        def loss(weights: Array) -> Array:
            product, _ = jax.lax.scan(layer, jnp.eye(WIDTH), (jnp.arange(deepest), weights))
            return jnp.sum((product[:, : len(LEARNED)] - teacher) ** 2) / 2

        def step(weights: Array, _: None) -> tuple[Array, Array]:
            return method.step(jax.grad(loss), weights, None)[0], loss(weights)

        method = discrete.GradientDescent(rate)
        return jax.lax.scan(step, weights, None, length=steps)[1]

    each_rate = jax.vmap(losses, (None, None, 0))
    program = jax.jit(jax.vmap(jax.vmap(each_rate, (0, None, None)), (None, 0, 0)))
    rates, counts = START_RATES / np.array(depths, float)[:, None], []
    with progress_bar(title="starts: ") as show:
        for seed in range(seeds):
            rotations = np.stack([_orthogonal(random) for _ in range(deepest)])
            weights = np.stack([rotations, random.standard_normal(rotations.shape) / np.sqrt(WIDTH)])
            learned = np.asarray(program(weights, jnp.asarray(depths), rates)) < LEFT * np.sum(np.square(LEARNED)) / 2
            counts.append(np.where(learned.any(-1), np.argmax(learned, axis=-1), steps))
            show(seed + 1, seeds)
    return {
        "started": (("seed", "start_depth", "start", "rate"), counts),
        "start_rate": (("start_depth", "rate"), rates),
    }


def _orthogonal(random: np.random.Generator) -> np.ndarray:
    q, r = np.linalg.qr(random.standard_normal((WIDTH, WIDTH)))
    return q * np.sign(np.diag(r))
