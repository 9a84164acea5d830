"""The runs behind the figure."""

from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import xarray
from jaxtyping import Array

import comparisons
import discrete
import flows
import landscapes
from comparisons.theorems.order import TIGHT, dopri8
from landscapes import DataLoss

from ...frame.stored import stored
from .setting import (
    DRIFT_DURATION,
    DRIFT_SAMPLES,
    DRIFT_SCALE,
    DRIFT_STEPS,
    DURATION,
    EXAMPLES,
    HIDDEN,
    IMBALANCES,
    INPUTS,
    OUTPUTS,
    POWERS,
    QUICK_DRIFT_STEPS,
    QUICK_SEEDS,
    QUICK_WIDTHS,
    RANDOM_SCALES,
    RANDOM_SEEDS,
    SAMPLES,
    SEEDS,
    SINGULAR_VALUES,
    WIDTHS,
)


def compute(folder: Path, *, quick: bool) -> list[Path]:
    """One netCDF file: imbalances, losses with their bounds, and ends of networks of many widths."""
    return stored(folder, "min_2021", quick=quick, computed=lambda: _computed(quick))


def _computed(quick: bool) -> xarray.Dataset:
    widths, seeds = (QUICK_WIDTHS, QUICK_SEEDS) if quick else (WIDTHS, SEEDS)
    found = _drift(QUICK_DRIFT_STEPS if quick else DRIFT_STEPS) | _flows(widths, seeds)
    return xarray.Dataset(found, coords={"width": list(widths), "power": list(POWERS)})


def examples() -> tuple[np.ndarray, np.ndarray]:
    """X (examples, inputs) with the singular values above and Y (examples, outputs)."""
    random = np.random.default_rng(0)
    left, _, right = np.linalg.svd(random.standard_normal((EXAMPLES, INPUTS)), full_matrices=False)
    return left * SINGULAR_VALUES @ right, random.standard_normal((EXAMPLES, OUTPUTS))


def _loss() -> DataLoss:
    """1/2 |Y - X U V'|^2 of the weights [U, V']: the mean over examples of sqrt(n) times the data."""
    inputs, targets = (jnp.asarray(np.sqrt(EXAMPLES) * rows) for rows in examples())
    return DataLoss(landscapes.product_model, landscapes.half_squared_error, inputs, targets)


def _network(rows: np.ndarray) -> list[Array]:
    """[U, V'] from the rows of U and of V, hidden units along the second axis."""
    return [jnp.asarray(rows[:INPUTS]), jnp.asarray(rows[INPUTS:].T)]


def _drift(many_steps: tuple[int, ...]) -> dict[str, Any]:
    """The imbalance along gradient descent and its modified flow of order 2, and some iterates."""
    loss, start = _loss(), _network(DRIFT_SCALE * np.random.default_rng(1).standard_normal((HIDDEN, HIDDEN)))
    observe = {"imbalance": lambda weights: landscapes.imbalance(weights)[0]}
    methods = [discrete.GradientDescent(DRIFT_DURATION / steps) for steps in many_steps]
    paths = []
    for method, steps in zip(methods, many_steps, strict=True):
        models = {"modified": flows.ModifiedFlow(method, order=2)}
        every, solver = steps // DRIFT_SAMPLES, dopri8(TIGHT)
        run = comparisons.compare(
            method, models, loss, start, steps=steps, every=every, observe=observe, integrator=solver
        )
        paths.append([side.observations["imbalance"] for side in (run.discrete, run.flows["modified"])])
    iterates: Any = discrete.run(methods[0], loss, start, steps=DRIFT_SAMPLES, keep_params=True).params
    return {
        "rate": ("steps", DRIFT_DURATION / np.array(many_steps)),
        "imbalance": (("steps", "side", "sample", "unit", "other_unit"), paths),
        "first_layer": (("iterate", "input", "unit"), np.asarray(iterates[0])),
        "second_layer": (("iterate", "unit", "output"), np.asarray(iterates[1])),
    }


class Drift(landscapes.Observable):
    """How far the imbalance is from that of the start, relative to that, in the Frobenius norm."""

    def init(self, moment: landscapes.Moment) -> Array:
        return landscapes.imbalance(moment.params)[0]

    def measure(self, moment: landscapes.Moment, carry: Array) -> tuple[landscapes.Reading, Array]:
        gap = landscapes.imbalance(moment.params)[0] - carry
        return landscapes.Reading(jnp.linalg.norm(gap) / jnp.linalg.norm(carry), "1"), carry


def _flows(widths: tuple[int, ...], seeds: int) -> dict[str, Any]:
    """Gradient flow from orthogonal starts of chosen imbalance, random ones, and wide ones; one run moves all."""
    random = np.random.default_rng(2)
    # Orthogonal rows: U_1 U_1' = V V' = size, and what the data do not see of U is orthogonal to both.
    rows = [np.sqrt(size) * np.linalg.qr(random.standard_normal((HIDDEN, HIDDEN)))[0] for size in IMBALANCES]
    rows += [s * random.standard_normal((HIDDEN, HIDDEN)) for s in RANDOM_SCALES for _ in range(RANDOM_SEEDS)]
    shown = [_network(row) for row in rows]
    wide = [
        landscapes.narrowed(_network(width ** (-power / 2) * random.standard_normal((HIDDEN, width))))
        for power in POWERS
        for width in widths
        for _ in range(seeds)
    ]
    starts = [jnp.stack(layers) for layers in zip(*shown, *wide, strict=True)]
    loss, inputs = _loss(), jnp.asarray(examples()[0])
    flow, members = flows.GradientFlow(discrete.GradientDescent(DURATION / SAMPLES)), discrete.Members(params=starts)
    observe = {"loss": loss, "drift": Drift()}
    run = flows.solve(flow, loss, steps=SAMPLES, observe=observe, integrator=dopri8(TIGHT), members=members)
    least_norm = np.linalg.pinv(examples()[0]) @ examples()[1]
    ends = np.asarray(run.final_params[0] @ run.final_params[1]) - least_norm
    distances = np.linalg.norm(ends, ord=2, axis=(1, 2)) / np.linalg.norm(least_norm, 2)
    return {
        "time": ("sample_of_flow", run.times),
        "drift": ("sample_of_flow", run.observations["drift"].max(axis=1)),
        "loss": (("sample_of_flow", "shown"), run.observations["loss"][:, : len(shown)]),
        "bound": ("shown", [float(landscapes.imbalance_rate(inputs, network)) for network in shown]),
        "end": ("shown", distances[: len(shown)]),
        "distance": (("power", "width", "seed"), distances[len(shown) :].reshape(len(POWERS), len(widths), seeds)),
    }
