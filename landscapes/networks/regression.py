"""Regression problems: logistic regression on digits, and an MLP fitted to a Chebyshev polynomial."""

from typing import Annotated

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ..data.datasets import Dataset, digits
from ..losses.criteria import half_squared_error, logistic
from ..losses.data_loss import DataLoss
from ..memory import check_memory
from ..problem import Params, Problem
from ..registered import problem_builder
from ..settings import Activation, Examples, Seed, TestExamples, Widths
from .mlp import MLP

HIGHEST_DEGREE = 100_000


def linear_model(params: Params, inputs: Array) -> Array:
    """x -> x'w + b, shape (examples, 1)."""
    return (inputs @ params["weight"] + params["bias"])[:, None]


@problem_builder("logistic")
def logistic_digits(
    *,
    examples: Examples = 500,
    ridge: Annotated[float, "Constant of the ridge of logistic regression."] = 0.01,
    test_examples: TestExamples = None,
) -> Problem:
    """Logistic regression of the parity of a digit (even +1, odd -1), started at 0.

    L = mean log(1 + exp(-y (x'w + b))) + ridge/2 (|w|^2 + b^2): strongly convex with constant at least `ridge`.
    """
    if not ridge >= 0:
        raise ValueError(f"`ridge` must be at least 0, got {ridge}.")

    def loss_on(part: Dataset) -> DataLoss:
        targets = jnp.asarray(np.where(part.labels % 2 == 0, 1.0, -1.0))[:, None]
        return DataLoss(linear_model, logistic, part.inputs, targets, ridge=ridge)

    data = digits(examples, test_examples)
    start = {"weight": jnp.zeros(data.inputs.shape[1]), "bias": jnp.zeros(())}
    test = None if data.test is None else loss_on(data.test)
    return Problem.on_data("logistic", loss_on(data), start, test=test)


@problem_builder("chebyshev-mlp")
def chebyshev_mlp(
    *,
    degree: Annotated[int, "Degree of the Chebyshev polynomial."] = 4,
    points: Annotated[int, "Sample points of the Chebyshev polynomial."] = 20,
    widths: Widths = (100,),
    activation: Activation = "tanh",
    seed: Seed = 0,
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
