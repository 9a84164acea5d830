"""Regression problems: logistic regression on digits, and an MLP fitted to a Chebyshev polynomial."""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ..data.datasets import digits
from ..losses.data_loss import DataLoss, half_squared_error, logistic
from ..memory import check_memory
from ..problem import Params, Problem
from .networks import MLP

HIGHEST_DEGREE = 100_000


def linear_model(params: Params, inputs: Array) -> Array:
    """x -> x'w + b, shape (examples, 1)."""
    return (inputs @ params["weight"] + params["bias"])[:, None]


def logistic_digits(*, examples: int = 500, ridge: float = 0.01) -> Problem:
    """Logistic regression of the parity of a digit (even +1, odd -1), started at 0.

    L = mean log(1 + exp(-y (x'w + b))) + ridge/2 (|w|^2 + b^2): strongly convex with constant at least `ridge`.
    """
    if not ridge >= 0:
        raise ValueError(f"`ridge` must be at least 0, got {ridge}.")
    data = digits(examples)
    targets = jnp.asarray(np.where(data.labels % 2 == 0, 1.0, -1.0))[:, None]
    loss = DataLoss(linear_model, logistic, data.inputs, targets, ridge=ridge)
    start = {"weight": jnp.zeros(data.inputs.shape[1]), "bias": jnp.zeros(())}
    return Problem("logistic", loss, start, predict=loss.predict, accuracy=loss.accuracy)


def chebyshev_mlp(
    *, degree: int = 4, points: int = 20, widths: Sequence[int] = (100,), activation: str = "tanh", seed: int = 0
) -> Problem:
    """MLP fitted to the Chebyshev polynomial T_degree at equally spaced points of [-1, 1] (Cohen et al. 2021, app. K).

    L = mean 1/2 (f - T)^2. The first layer starts at gain 1.9, so that features spread over the interval.
    """
    if degree < 1 or points < 2:
        raise ValueError(f"`degree` must be at least 1 and `points` at least 2, got {degree} and {points}.")
    if degree > HIGHEST_DEGREE:
        raise ValueError(f"`degree` must be at most {HIGHEST_DEGREE}, got {degree}; it is summed term by term.")
    network = MLP((1, *widths, 1), activation)
    check_memory(points * (sum(widths) + 2), points=points, widths=widths)
    inputs = np.linspace(-1, 1, points)[:, None]
    targets = np.polynomial.chebyshev.chebval(inputs, [0.0] * degree + [1.0])
    loss = DataLoss(network, half_squared_error, jnp.asarray(inputs), jnp.asarray(targets))
    return Problem("chebyshev-mlp", loss, network.init(seed, first_gain=1.9), predict=loss.predict)
