"""The runs behind the figure."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import xarray
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

import comparisons
import discrete
import flows
import landscapes
from comparisons import Comparison, DivergenceBound
from comparisons.console.progress_bar import progress_bar
from landscapes import Loss
from landscapes.data.datasets import digits
from landscapes.networks.mlp import dense_layer, layer_stream

from ...frame.stored import stored
from .setting import (
    ACTIVATIONS,
    DEPTH,
    EVERY,
    EXAMPLES,
    FRACTIONS,
    LOOSE,
    QUICK_FRACTIONS,
    QUICK_SAMPLES,
    QUICK_SCALES,
    SADDLE_END,
    SAMPLES,
    SCALES,
    SIZES,
    STARTS,
    STEP,
    TOLERANCE,
)


class Network(eqx.Module):
    """x -> s(... s(x W_1) ...) W_d without biases, with s(x) = a x + b relu(x) + c tanh(x)."""

    mixture: Float[Array, " 3"]

    def __call__(self, params: list[Array], inputs: Float[Array, "examples inputs"]) -> Array:
        a, b, c = self.mixture
        for weight in params[:-1]:
            hidden = inputs @ weight
            inputs = a * hidden + b * jax.nn.relu(hidden) + c * jnp.tanh(hidden)
        return inputs @ params[-1]


class Toy(eqx.Module):
    """A deep linear loss, or the saddle (x^2 - y^2/2)/2 in its first two weights: one compiled program serves both.

    share: 1 for the deep linear loss, 0 for the saddle, which is a bowl in all the other weights.
    """

    deep: Loss
    share: Any

    def __call__(self, params: list[Array]) -> Float[Array, ""]:
        flat, _ = ravel_pytree(params)
        saddle = (flat @ flat - 1.5 * flat[1] ** 2) / 2
        return self.share * self.deep(params) + (1 - self.share) * saddle


def compute(folder: Path, *, quick: bool) -> list[Path]:
    """One netCDF file: distances and bounds of the networks, of the deep linear network, and at the saddle."""
    return stored(folder, "elkabetz_cohen_2021", quick=quick, computed=lambda: _computed(quick))


def _computed(quick: bool) -> xarray.Dataset:
    """Dimensions network, rate, sample; scale, deep_sample; start, saddle_sample."""
    fractions, samples = (QUICK_FRACTIONS, QUICK_SAMPLES) if quick else (FRACTIONS, SAMPLES)
    scales = QUICK_SCALES if quick else SCALES
    deep_steps = round(2 / min(scales) / STEP)
    # The flow of relu is slow to solve: quickly, only beside the largest step.
    steps = {name: fractions[:1] if quick and name == "relu" else fractions for name in ACTIVATIONS}
    parts = {
        "network": {name: _network(name, steps[name], samples) for name in ACTIVATIONS},
        "scale": {scale: _deep_linear(scale, deep_steps) for scale in scales},
        "start": {name: _saddle(start, deep_steps // EVERY) for name, start in STARTS.items()},
    }
    joined = [
        xarray.concat(list(rows.values()), dim, join="outer").assign_coords({dim: list(rows)})
        for dim, rows in parts.items()
    ]
    return xarray.merge(joined).sortby("rate", ascending=False)


def _network(name: str, fractions: tuple[int, ...], samples: int) -> xarray.Dataset:
    """One network at all step sizes, sampled at the steps of the largest one."""
    data = digits(EXAMPLES)
    loss = landscapes.DataLoss(
        Network(jnp.asarray(ACTIVATIONS[name])), landscapes.cross_entropy, data.inputs, data.one_hot()
    )
    layers = enumerate(pairwise(SIZES))
    start = [dense_layer(layer_stream(0, i), *sizes)["weight"] for i, sizes in layers]
    problem = landscapes.Problem(name, loss, start)
    runs = [_compared(problem, STEP / k, samples * k, k, integrator=LOOSE, keep_params=True) for k in fractions]
    paths = [run.discrete.path for run, _ in runs]
    rows = {
        "loss": [run.discrete.observations["loss"] for run, _ in runs],
        "travelled": [np.linalg.norm(path - path[0], axis=1) for path in paths],
        "between": [np.linalg.norm(path - paths[-1], axis=1) for path in paths],
        "distance": [bound.distance for _, bound in runs],
        "bound": [bound.bound for _, bound in runs],
        "amplification": [bound.amplification for _, bound in runs],
    }
    found = {name: (("rate", "sample"), [_padded(row, samples + 1) for row in each]) for name, each in rows.items()}
    return xarray.Dataset(found, {"rate": [STEP / k for k in fractions], "time": ("sample", runs[0][0].discrete.times)})


def _deep_linear(scale: float, steps: int) -> xarray.Dataset:
    """From scale times orthogonal matrices, which are balanced, with one singular value, 1, to learn."""
    problem = landscapes.deep_linear(depth=DEPTH, width=4, singular_values=(1.0,), scale=scale)
    return _toy("deep", problem, 1.0, STEP, steps, EVERY)


def _saddle(start: tuple[float, float], steps: int) -> xarray.Dataset:
    problem = landscapes.deep_linear(depth=DEPTH, width=4, singular_values=(1.0,))
    flat, unravel = ravel_pytree(problem.params)
    placed = eqx.tree_at(lambda p: p.params, problem, unravel(jnp.zeros_like(flat).at[:2].set(jnp.asarray(start))))
    return _toy("saddle", placed, 0.0, SADDLE_END / steps, steps, 1, lipschitz=0.0).drop_vars("saddle_allowed")


def _toy(
    name: str, deep: landscapes.Problem, share: float, h: float, steps: int, every: int, **settings: Any
) -> xarray.Dataset:
    problem = landscapes.Problem(name, Toy(deep.loss, jnp.asarray(share)), deep.params)
    # A lambda would be another program for every run.
    observe = {"allowed": jax.tree_util.Partial(landscapes.lowest_curvature, deep.loss)}
    run, bound = _compared(problem, h, steps, every, observe=observe, **settings)
    rows = {
        "distance": bound.distance,
        "bound": bound.bound,
        "amplification": bound.amplification,
        "lowest": -run.discrete.observations["growth_rate"],
        "allowed": run.discrete.observations["allowed"],
    }
    return xarray.Dataset(
        {f"{name}_{key}": (f"{name}_sample", row) for key, row in rows.items()},
        {f"{name}_time": (f"{name}_sample", bound.times)},
    )


def _compared(
    problem: landscapes.Problem,
    h: float,
    steps: int,
    every: int,
    *,
    lipschitz: float | None = None,
    observe: landscapes.Observables | None = None,
    **settings: Any,
) -> tuple[Comparison, DivergenceBound]:
    method = discrete.GradientDescent(h)
    flow = flows.GradientFlow(method)
    measured = {**comparisons.bound_instruments(flow, problem.loss, tolerance=TOLERANCE), **(observe or {})}
    with progress_bar(title=f"{problem.name}, h = {h:g}: ") as show:
        run = comparisons.compare(
            method, {"flow": flow}, problem, steps=steps, every=every, observe=measured, progress=show, **settings
        )
    return run, comparisons.divergence_bound(run, "flow", lipschitz=lipschitz)


def _padded(row: np.ndarray, length: int) -> np.ndarray:
    return np.pad(row, (0, length - len(row)), constant_values=np.nan)
