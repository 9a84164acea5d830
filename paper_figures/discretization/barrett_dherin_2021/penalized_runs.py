"""Gradient descent on L + c |grad L|^2: a network at several learning rates, and at a small one with the penalty.

What two runs have in common is read off at equal loss, or at equal time as the distance between them.
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import xarray
from jaxtyping import Array, Float

import discrete
import landscapes
from comparisons.console.progress_bar import progress_bar
from landscapes import Loss, Params, Problem

EVERY = 0.5


class Penalized(eqx.Module):
    """L + c |grad L|^2, with c an array: another c needs no compilation."""

    loss: Loss
    weight: Float[Array, ""]

    def __call__(self, params: Params) -> Float[Array, ""]:
        gradient = jax.grad(self.loss)(params)
        return self.loss(params) + self.weight * optax.tree.norm(gradient, squared=True)


class Experiment(NamedTuple):
    """Full-batch runs on digits from several starts.

    rates: descending; the last one is the small one, to which the penalty is added.
    strengths: of the penalty, in units of (h - small)/4 for each larger rate h: what its implicit one has more.
    levels: losses at which runs are compared.  duration: of every run, in time n h.
    """

    criterion: str
    gain: float
    widths: tuple[int, ...]
    examples: int
    seeds: tuple[int, ...]
    rates: tuple[float, ...]
    strengths: tuple[float, ...]
    levels: tuple[float, ...]
    duration: float


def measured(experiment: Experiment) -> xarray.Dataset:
    """Loss, |grad L| and sharpness along the runs; at each time, how far penalized runs are from the larger rate's."""
    observed: dict[str, list] = {"loss": [], "gradient_norm": [], "sharpness": []}
    *larger, small = experiment.rates
    distances = []
    for seed in experiment.seeds:
        problem = _problem(experiment, seed)
        runs = [_run(problem, h, 0.0, experiment.duration, seed) for h in experiment.rates]
        for name, rows in observed.items():
            rows.append([run.observations[name].reshape(len(run.steps)) for run in runs])
        distances.append([])
        for rate, run in zip(larger, runs, strict=False):
            weights = [strength * (rate - small) / 4 for strength in experiment.strengths]
            others = [_run(problem, small, w, experiment.duration, seed) if w else runs[-1] for w in weights]
            distances[-1].append([_distances(other.params, run.params) for other in others])
    times = np.arange(len(observed["loss"][0][0])) * EVERY
    shape = len(experiment.seeds), len(larger), len(experiment.strengths), len(times)
    return xarray.Dataset(
        {name: (("seed", "learning_rate", "time"), rows) for name, rows in observed.items()}
        | {
            "parameters": ((), float(_problem(experiment, 0).dimension)),
            "distance": (("seed", "larger_rate", "strength", "time"), np.reshape(distances, shape)),
        },
        coords={
            "seed": list(experiment.seeds),
            "learning_rate": list(experiment.rates),
            "larger_rate": larger,
            "strength": list(experiment.strengths),
            "time": times,
            "level": list(experiment.levels),
        },
    )


def _problem(experiment: Experiment, seed: int) -> Problem:
    return landscapes.digits_mlp(
        widths=experiment.widths,
        examples=experiment.examples,
        criterion=experiment.criterion,
        gain=experiment.gain,
        seed=seed,
    )


def _run(problem: Problem, rate: float, weight: float, duration: float, seed: int) -> discrete.Trajectory:
    observe = {
        "loss": problem.loss,
        "gradient_norm": landscapes.GradientNorm(problem.loss),
        "sharpness": landscapes.Sharpness(problem.loss),
    }
    with progress_bar(title=f"seed {seed}, h = {rate:g}, penalty {weight:g}: ") as show:
        return discrete.run(
            discrete.GradientDescent(rate),
            Penalized(problem.loss, jnp.asarray(weight)),
            problem.params,
            steps=round(duration / rate),
            every=round(EVERY / rate),
            observe=observe,
            keep_params=True,
            progress=show,
        )


def _distances(one: Params, other: Params) -> np.ndarray:
    """|x - y| at every sample."""
    squares = jax.tree.map(lambda x, y: np.sum((x - y) ** 2, axis=tuple(range(1, x.ndim))), one, other)
    return np.sqrt(sum(jax.tree.leaves(squares)))


def at_equal_loss(found: xarray.Dataset, values: xarray.DataArray) -> np.ndarray:
    """(seed, learning_rate, level): positive values where the loss passes a level, linear between logarithms.

    NaN where the loss does not get there.
    """
    levels = found.level.values
    rows = np.empty((found.sizes["seed"], found.sizes["learning_rate"], len(levels)))
    for i, j in np.ndindex(rows.shape[:2]):
        progress = -np.log(found.loss.values[i, j])
        rows[i, j] = np.exp(
            np.interp(-np.log(levels), progress, np.log(values.values[i, j]), left=np.nan, right=np.nan)
        )
    return rows
