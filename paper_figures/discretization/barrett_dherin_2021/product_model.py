"""Gradient descent and the flows of E + c h |grad E|^2 on a linear model with two weights, E = (y - a b)^2/2.

Gradient flow keeps a^2 - b^2; each step of gradient descent multiplies it by 1 - h^2 (y - a b)^2, and so ends flatter.
"""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray
from jaxtyping import Array, Float

import discrete
import flows
from comparisons.theorems.order import dopri8

from .penalized_runs import Penalized

TARGET, START = 0.6, (2.8, 3.5)
DURATION = 1.0
COEFFICIENTS = (0.0, 0.125, 0.25, 0.375, 0.5)
PATH = {"rate": 0.025, "small": 0.001, "duration": 2.0}
ENDING_RATES, ENDING_TIME = (0.005, 0.01, 0.02, 0.04), 8.0


def product_loss(x: Float[Array, " 2"]) -> Float[Array, ""]:
    """(y - a b)^2 / 2 with y = 0.6."""
    return 0.5 * (TARGET - x[0] * x[1]) ** 2


def measured(steps: Sequence[int]) -> xarray.Dataset:
    """Distances to the flows for h = DURATION / steps, paths at one learning rate, and where several of them end."""
    rates = [DURATION / n for n in steps]
    return xarray.Dataset(
        {
            "local_error": (("coefficient", "rate"), [[_gap(c, h, 1) for h in rates] for c in COEFFICIENTS]),
            "error": (
                ("coefficient", "rate"),
                [[_gap(c, h, n) for h, n in zip(rates, steps, strict=True)] for c in COEFFICIENTS],
                {"long_name": f"distance at time {DURATION}"},
            ),
            "closed_form": ((), _closed_form()),
            **_paths(),
            "end": (("ending_rate", "component"), [_end(h) for h in ENDING_RATES]),
        },
        coords={"coefficient": list(COEFFICIENTS), "rate": rates, "ending_rate": list(ENDING_RATES)},
    )


def _flow(coefficient: float, rate: float, steps: int, every: int) -> np.ndarray:
    """The flow of E + c h |grad E|^2 at the samples."""
    flow = flows.GradientFlow(discrete.GradientDescent(rate))
    loss = Penalized(product_loss, jnp.asarray(coefficient * rate))
    solution = flows.solve(
        flow, loss, jnp.asarray(START), steps=steps, every=every, integrator=dopri8(1e-12), keep_params=True
    )
    return np.asarray(solution.params)


def _descent(rate: float, steps: int, every: int) -> np.ndarray:
    run = discrete.run(
        discrete.GradientDescent(rate), product_loss, jnp.asarray(START), steps=steps, every=every, keep_params=True
    )
    return np.asarray(run.params)


def _gap(coefficient: float, rate: float, steps: int) -> float:
    return float(np.linalg.norm(_flow(coefficient, rate, steps, steps)[-1] - _descent(rate, steps, steps)[-1]))


def _closed_form() -> float:
    """Largest relative distance of the modified loss to E + lambda R_IG, with R_IG = (a^2 + b^2) E, over a grid."""
    rate, parameters = PATH["rate"], 2
    modified = flows.modified_loss(discrete.GradientDescent(rate), product_loss)
    a, b = (grid.ravel() for grid in np.meshgrid(np.linspace(-3, 3.5, 14), np.linspace(-3, 3.5, 14)))
    plain = 0.5 * (TARGET - a * b) ** 2
    expected = plain + rate * parameters / 4 * (a**2 + b**2) * plain
    found = np.asarray(jax.jit(jax.vmap(modified))(jnp.stack([a, b], axis=1)))
    return float(np.max(np.abs(found / expected - 1)))


def _paths() -> dict[str, Any]:
    rate, small = PATH["rate"], PATH["small"]
    steps, ratio = round(PATH["duration"] / rate), round(rate / small)
    dims = ("sample", "component")
    return {
        "descent": (dims, _descent(rate, steps, 1)),
        "small_descent": (dims, _descent(small, steps * ratio, ratio)),
        "gradient_flow": (dims, _flow(0.0, rate, steps, 1)),
        "modified_flow": (dims, _flow(0.25, rate, steps, 1)),
    }


def _end(rate: float) -> np.ndarray:
    steps = round(ENDING_TIME / rate)
    return _descent(rate, steps, steps)[-1]
