"""The runs behind the figure."""

import dataclasses
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import xarray
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Int

import discrete
import flows
import landscapes
from comparisons.theorems.order import dopri8
from landscapes import DataLoss, Params

from ...frame.stored import stored
from .setting import (
    BATCHES,
    DURATION,
    EPOCHS,
    EXAMPLES,
    HIDDEN,
    MODELS,
    QUICK_EPOCHS,
    QUICK_RATES,
    RATES,
    SAMPLINGS,
    SHOWN_RATE,
    SIZES,
)


class Batches(eqx.Module):
    """C_k for k = 0, ..., m - 1: a loss on the k-th of m equal parts of its data; their mean is the loss itself."""

    loss: DataLoss
    count: int = eqx.field(static=True)

    def __call__(self, params: Params, k: Int[Array, ""]) -> Float[Array, ""]:
        parts = [data.reshape(self.count, -1, data.shape[-1])[k] for data in (self.loss.inputs, self.loss.targets)]
        return dataclasses.replace(self.loss, inputs=parts[0], targets=parts[1])(params)


class MiniBatchLoss(eqx.Module):
    """C + (h/4) (a |grad C|^2 + b mean_k |grad C_k - grad C|^2).

    weights: (a, b); (1, 1) is the loss of Smith et al. 2021, and for one batch that of Barrett and Dherin 2021.
    """

    batches: Batches
    rate: Float[Array, ""]
    weights: Float[Array, " 2"]

    def __call__(self, params: Params) -> Float[Array, ""]:
        gradients = jax.vmap(lambda k: jax.grad(self.batches)(params, k))(jnp.arange(self.batches.count))
        mean = jax.tree.map(lambda g: g.mean(axis=0), gradients)
        apart = jax.tree.map(jnp.subtract, gradients, mean)
        variance = optax.tree.norm(apart, squared=True) / self.batches.count
        penalty = self.weights @ jnp.stack([optax.tree.norm(mean, squared=True), variance])
        return self.batches.loss(params) + self.rate / 4 * penalty


def compute(folder: Path, *, quick: bool) -> list[Path]:
    """One netCDF file: distances of mean iterates to the flows, ends of all orders, variances of batches."""
    rates, epochs = (QUICK_RATES, QUICK_EPOCHS) if quick else (RATES, EPOCHS)
    return stored(folder, "smith_2021", quick=quick, computed=lambda: _computed(rates, epochs))


def _computed(rates: Sequence[float], epochs: Sequence[int]) -> xarray.Dataset:
    loss, start = _problem((HIDDEN,))
    linear, linear_start = _problem(())
    batches = Batches(loss, BATCHES)
    means = np.array([[_ends(batches, start, kind, h).mean(axis=0) for h in rates] for kind in SAMPLINGS])
    models = np.array([[_flow_end(batches, start, weights, h, BATCHES) for h in rates] for weights in MODELS.values()])
    long_rates = [DURATION / (BATCHES * n) for n in epochs]
    return xarray.Dataset(
        {
            "error": (("sampling", "model", "rate"), np.linalg.norm(means[:, None] - models, axis=-1)),
            "long_error": (("model", "long_rate"), _long_errors(Batches(linear, BATCHES), linear_start, epochs)),
            "coefficient": (("sampling", "rate"), _coefficients(means, models)),
            "one_batch": ((), _one_batch(loss, start)),
            **_cloud(batches, start),
            **_variances(Batches(loss, EXAMPLES), start),
        },
        coords={
            "sampling": list(SAMPLINGS),
            "model": list(MODELS),
            "rate": list(rates),
            "long_rate": long_rates,
            "size": list(SIZES),
        },
    )


def _problem(widths: tuple[int, ...]) -> tuple[DataLoss, Params]:
    problem = landscapes.digits_mlp(widths=widths, examples=EXAMPLES)
    assert isinstance(problem.loss, DataLoss)
    return problem.loss, problem.params


@eqx.filter_jit
def epoch(batches: Batches, params: Params, order: Int[Array, " steps"], rate: Float[Array, ""]) -> Params:
    """A step of gradient descent on each batch of the order."""

    def step(w: Params, k: Array) -> tuple[Params, None]:
        return jax.tree.map(lambda x, g: x - rate * g, w, jax.grad(batches)(w, k)), None

    return jax.lax.scan(step, params, order)[0]


def flat(params: Params) -> Float[Array, " n"]:
    """All parameters in one vector."""
    return ravel_pytree(params)[0]


@eqx.filter_jit
def _all_ends(batches: Batches, params: Params, orders: Array, rate: Array) -> Array:
    return jax.vmap(lambda order: flat(epoch(batches, params, order, rate)))(orders)


def _ends(batches: Batches, params: Params, sampling: str, rate: float) -> np.ndarray:
    """(order, parameter): where an epoch ends, for all its orders."""
    return np.asarray(_all_ends(batches, params, jnp.asarray(SAMPLINGS[sampling]), jnp.asarray(rate)))


def _flow_end(batches: Batches, params: Params, weights: tuple[float, float], rate: float, steps: int) -> np.ndarray:
    flow = flows.GradientFlow(discrete.GradientDescent(rate))
    loss = MiniBatchLoss(batches, jnp.asarray(rate), jnp.asarray(weights))
    solution = flows.solve(flow, loss, params, steps=steps, every=steps, integrator=dopri8(1e-12))
    return np.asarray(flat(solution.final_params))


@eqx.filter_jit
def _mean_after(batches: Batches, params: Params, orders: Array, rate: Array, epochs: Array) -> Array:
    """The mean over independent orders of all epochs of a linear model: an epoch is affine, so means suffice."""

    def one(_: Any, mean: Params) -> Params:
        ends = jax.vmap(lambda order: epoch(batches, mean, order, rate))(orders)
        return jax.tree.map(lambda leaf: leaf.mean(axis=0), ends)

    return flat(jax.lax.fori_loop(0, epochs, one, params))


def _long_errors(batches: Batches, params: Params, epochs: Sequence[int]) -> np.ndarray:
    orders, rows = jnp.asarray(SAMPLINGS["reshuffled"]), []
    for n in epochs:
        rate = DURATION / (BATCHES * n)
        mean = np.asarray(_mean_after(batches, params, orders, jnp.asarray(rate), jnp.asarray(n)))
        ends = [_flow_end(batches, params, weights, rate, BATCHES * n) for weights in MODELS.values()]
        rows.append([np.linalg.norm(mean - end) for end in ends])
    return np.array(rows).T


def _coefficients(means: np.ndarray, models: np.ndarray) -> np.ndarray:
    """(sampling, rate): c of h mean_k |grad C_k - grad C|^2, beside (h/4) |grad C|^2, that fits the mean best."""
    _, without, smith = models
    effect = (smith - without) / 0.25
    return np.sum((means - without) * effect, axis=-1) / np.sum(effect**2, axis=-1)


def _one_batch(loss: DataLoss, params: Params) -> float:
    """Relative distance, in the gradient, of the loss of one batch to the modified loss of gradient descent."""
    rate = SHOWN_RATE
    whole = MiniBatchLoss(Batches(loss, 1), jnp.asarray(rate), jnp.ones(2))
    modified = flows.modified_loss(discrete.GradientDescent(rate), loss)
    first, second = (np.asarray(flat(jax.jit(jax.grad(one))(params))) for one in (whole, modified))
    return float(np.linalg.norm(first - second) / np.linalg.norm(second))


def _cloud(batches: Batches, params: Params) -> dict[str, Any]:
    """Ends of one epoch from the flow of Smith's loss, in units of the variance term's effect: along it, and across."""
    ends = _ends(batches, params, "reshuffled", SHOWN_RATE)
    models = np.array([_flow_end(batches, params, weights, SHOWN_RATE, BATCHES) for weights in MODELS.values()])
    effect = models[2] - models[1]
    along = effect / np.linalg.norm(effect)
    across = (ends - ends.mean(axis=0)) @ (np.eye(len(along)) - np.outer(along, along))
    plane = np.stack([along, np.linalg.svd(across)[2][0]], axis=1) / np.linalg.norm(effect)
    return {
        "order_end": (("order", "component"), (ends - models[2]) @ plane),
        "model_end": (("model", "component"), (models - models[2]) @ plane),
    }


def _variances(single: Batches, params: Params) -> dict[str, Any]:
    """Mean of |grad C_B - grad C|^2 over all batches of B examples, and of single examples."""
    gradients = np.asarray(jax.jit(jax.vmap(lambda k: flat(jax.grad(single)(params, k))))(jnp.arange(EXAMPLES)))
    apart = gradients - gradients.mean(axis=0)
    means = [[apart[list(chosen)].mean(axis=0) for chosen in itertools.combinations(range(EXAMPLES), n)] for n in SIZES]
    return {
        "variance": (("size",), [np.mean(np.sum(np.square(rows), axis=1)) for rows in means]),
        "single_variance": ((), np.mean(np.sum(apart**2, axis=1))),
    }
