"""The runs behind the figure."""

from pathlib import Path
from typing import Any

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import xarray
from jaxtyping import Array, Float

import comparisons
import discrete
import flows
import landscapes
from landscapes import Loss, Params

from ...frame.chosen_flow import each_flow
from ...frame.stored import stored
from .setting import (
    COUNTER_TERMS,
    DECAY,
    EVERY,
    LARGEST,
    QUICK_EVERY,
    QUICK_TORQUE_RATES,
    SAMPLES,
    TORQUE_DECAY,
    TORQUE_DURATION,
    TORQUE_RATES,
    TORQUE_SAMPLES,
)


class Decayed(eqx.Module):
    """L(w) + decay/2 |w|^2."""

    loss: Loss
    decay: Float[Array, ""]

    def __call__(self, params: Params) -> Float[Array, ""]:
        return self.loss(params) + self.decay / 2 * sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(params))


def torque(w: Float[Array, " 2"]) -> Float[Array, ""]:
    """The angle of w: scale-invariant, |w| |grad L| = 1 everywhere. Its value jumps by 2 pi, its gradient does not."""
    return jnp.arctan2(w[1], w[0])


def compute(folder: Path, *, quick: bool) -> list[Path]:
    """One netCDF file: the network with and without weight decay at several step sizes, and the equilibria."""
    return stored(folder, "miyagawa_2022", quick=quick, computed=lambda: _computed(quick))


def _computed(quick: bool) -> xarray.Dataset:
    found = _network(QUICK_EVERY if quick else EVERY) | _equilibria(QUICK_TORQUE_RATES if quick else TORQUE_RATES)
    return xarray.Dataset(found, coords={"counter_terms": list(COUNTER_TERMS), "decay": [0.0, DECAY]})


def _equations(method: discrete.Method, terms: tuple[int, ...]) -> dict[str, flows.ODEFlow]:
    return each_flow({str(k): flows.ModifiedFlow(method, order=k + 1) for k in terms})


def _solver(rate: float) -> flows.Integrator:
    return flows.Integrator(diffrax.Dopri8(), diffrax.PIDController(rtol=1e-12, atol=1e-15), first_step=rate / 10)


def _network(every: tuple[int, ...]) -> dict[str, Any]:
    """All runs to time 4, with 21 samples each."""
    problem = landscapes.normalized_mlp(widths=(8,), examples=100, gain=0.5)
    slope = eqx.filter_jit(lambda points: jax.vmap(jax.grad(problem.loss))(points)[0]["weight"])
    rates = [LARGEST / each for each in every]
    runs = [
        [
            _run(Decayed(problem.loss, jnp.asarray(decay)), problem.params, h, each)
            for h, each in zip(rates, every, strict=True)
        ]
        for decay in (0.0, DECAY)
    ]
    coarse = [row[0] for row in runs]
    hidden = [[_hidden(path) for path in _paths(run)] for run in coarse]
    pulls = [[np.sum(np.asarray(slope(path)) ** 2, axis=(1, 2)) for path in _paths(run)] for run in coarse]
    return {
        "error": (
            ("decay", "counter_terms", "rate"),
            _each(runs, lambda run, k: run.divergence[str(k)].distance.max()),
        ),
        "norm_error": (("decay", "counter_terms", "rate"), _each(runs, lambda run, k: _gap(run, k, _hidden))),
        "total_error": (("decay", "counter_terms", "rate"), _each(runs, lambda run, k: _gap(run, k, _total))),
        "corrected_error": (("decay", "rate"), [[r.divergence["error"].distance.max() for r in row] for row in runs]),
        "gap": (("decay", "sample"), [run.divergence["0"].distance for run in coarse]),
        "leading_error": (
            ("decay", "sample"),
            [LARGEST * np.linalg.norm(run.flows["error"].predictions["leading_error"], axis=1) for run in coarse],
        ),
        # The first side is gradient descent, the others have 0, 1, 2 counter terms.
        "squared_length": (("decay", "side", "sample"), hidden),
        "squared_gradient": (("decay", "side", "sample"), pulls),
        "total": (("decay", "side", "sample"), [[_total(path) for path in _paths(run)] for run in coarse]),
        "rate": ("rate", rates),
        "time": ("sample", coarse[0].discrete.times),
    }


def _run(loss: Decayed, start: Params, rate: float, every: int) -> comparisons.Comparison:
    method = discrete.GradientDescent(rate)
    models = _equations(method, COUNTER_TERMS) | {"error": flows.LeadingError(method)}
    steps = SAMPLES * every
    return comparisons.compare(
        method, models, loss, start, steps=steps, every=every, integrator=_solver(rate), keep_params=True
    )


def _paths(run: comparisons.Comparison) -> list[Params]:
    return [run.discrete.params, *(run.flows[str(k)].params for k in COUNTER_TERMS)]


def _hidden(path: Params) -> np.ndarray:
    """|w|^2 of all hidden weights, at every sample."""
    return np.sum(np.asarray(path[0]["weight"]) ** 2, axis=(1, 2))


def _total(path: Params) -> np.ndarray:
    """The sum of the output weights over the classes, along its start, in units of that; at every sample."""
    totals = np.sum(np.asarray(path[-1]["weight"]), axis=2)
    return totals @ totals[0] / (totals[0] @ totals[0])


def _each(runs: list[list[comparisons.Comparison]], measured: Any) -> list[list[list[float]]]:
    return [[[float(measured(run, k)) for run in row] for k in COUNTER_TERMS] for row in runs]


def _gap(run: comparisons.Comparison, k: int, quantity: Any) -> float:
    return np.max(np.abs(quantity(run.flows[str(k)].params) - quantity(run.discrete.params)))


def _equilibria(rates: tuple[float, ...]) -> dict[str, Any]:
    """|w|^2 under constant torque and weight decay: gradient descent, and the equation of motion with one term."""
    loss, rows = Decayed(torque, jnp.asarray(TORQUE_DECAY)), []
    for rate in rates:
        method, every = discrete.GradientDescent(rate), round(TORQUE_DURATION / rate / TORQUE_SAMPLES)
        run = comparisons.compare(
            method,
            {"1": flows.ModifiedFlow(method, order=2)},
            loss,
            jnp.array([1.0, 0.0]),
            steps=TORQUE_SAMPLES * every,
            every=every,
            integrator=_solver(rate),
            keep_params=True,
        )
        rows.append([np.sum(np.asarray(path) ** 2, axis=1) for path in (run.discrete.params, run.flows["1"].params)])
    return {
        "torque_length": (("torque_rate", "torque_side", "torque_sample"), rows),
        "torque_rate": ("torque_rate", list(rates)),
        "torque_time": ("torque_sample", TORQUE_DURATION / TORQUE_SAMPLES * np.arange(TORQUE_SAMPLES + 1)),
    }
