"""Linear networks: linear in the input, not in the weights; the field's exactly solvable models of training."""

from collections.abc import Sequence
from typing import Annotated, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..losses.criteria import half_squared_error
from ..losses.data_loss import DataLoss
from ..memory import check_memory
from ..networks.mlp import COPIES, check_depth
from ..problem import Loss, Params, Problem
from ..registered import problem_builder
from ..settings import Examples, Scale, Seed


def product_model(weights: list[Array], inputs: Float[Array, "examples inputs"]) -> Float[Array, "examples outputs"]:
    """x -> x W_1 W_2 ... W_d."""
    for weight in weights:
        inputs = inputs @ weight
    return inputs


@problem_builder("deep-linear")
def deep_linear(
    *,
    depth: Annotated[int, "Number of weight matrices of a deep linear network."] = 3,
    width: Annotated[int, "Width of a deep linear network."] = 5,
    singular_values: Annotated[Sequence[float], "Singular values of a linear network's teacher."] = (
        3.0,
        2.0,
        1.0,
    ),
    scale: Scale = 0.3,
    seed: Seed = 0,
) -> Problem:
    """Deep linear network taught by a matrix with the given singular values; whitened inputs (Saxe et al. 2014).

    L = 1/2 |W_1 ... W_d - T|_F^2: the inputs are the `width` rows of sqrt(width) times the identity, so that their mean
    leaves the sum. Starts at W_i = scale * (a random orthogonal matrix). depth: number of weight matrices.
    """
    if depth < 1 or width < len(singular_values) or not scale > 0:
        raise ValueError(
            f"`depth` must be at least 1, `width` at least the number of singular values and `scale` positive, "
            f"got {depth}, {width} for {len(singular_values)} values, and {scale}."
        )
    check_depth("depth", depth)
    check_memory(depth * width**2, times=COPIES, depth=depth, width=width)
    random = np.random.default_rng(seed)
    left, right, *starts = (_orthogonal(random, width) for _ in range(depth + 2))
    spectrum = np.zeros(width)
    spectrum[: len(singular_values)] = singular_values
    inputs = np.sqrt(width) * np.eye(width)
    targets = inputs @ (left * spectrum) @ right.T
    loss = DataLoss(product_model, half_squared_error, jnp.asarray(inputs), jnp.asarray(targets))
    return Problem("deep-linear", loss, [jnp.asarray(scale * q) for q in starts], predict=loss.predict, minimum=0.0)


def lowest_curvature(loss: Loss, params: list[Array]) -> Float[Array, ""]:
    """-(d - 1) |grad phi(W_1 ... W_d)| times the product of the d - 2 largest |W_j|: no eigenvalue of the Hessian of a
    deep linear network's loss phi(W_1 ... W_d) is below it, if phi is convex (Elkabetz and Cohen 2021).

    loss: of matrices whose product counts, as many as there are.  params: d >= 2 of them. Norms are spectral.
    Raises ValueError for a single matrix.
    """
    if len(params) < 2:
        raise ValueError(f"`params` must be at least 2 matrices, got {len(params)}; with one the loss is convex.")
    product = product_model(params[1:], params[0])
    (slope,) = jax.grad(loss)([product])
    norms = jnp.sort(jnp.stack([jnp.linalg.norm(weight, 2) for weight in params]))
    return -(len(params) - 1) * jnp.linalg.norm(slope, 2) * jnp.prod(norms[2:])


class DiagonalModel(eqx.Module):
    """x -> x'(u^D - v^D), entry by entry: the diagonal linear network of depth D (Woodworth et al. 2020).

    depth: D, at least 2. As an integer it is compiled in; as an array of one integer all depths share a program.
    """

    depth: Any = 2

    def __call__(self, params: Params, inputs: Float[Array, "examples inputs"]) -> Float[Array, "examples 1"]:
        return (inputs @ (params["u"] ** self.depth - params["v"] ** self.depth))[:, None]


def unbalanced_diagonal_model(params: Params, inputs: Float[Array, "examples inputs"]) -> Float[Array, "examples 1"]:
    """x -> x'(u_plus v_plus - u_minus v_minus), entry by entry, a pair of weights to each sign (Azulay et al. 2021).

    With u = v in both pairs it moves as the diagonal network of depth 2 does.
    """
    weights = params["u_plus"] * params["v_plus"] - params["u_minus"] * params["v_minus"]
    return (inputs @ weights)[:, None]


@problem_builder("diagonal-linear")
def diagonal_linear(
    *,
    dimension: Annotated[int, "Inputs of a diagonal linear network."] = 40,
    examples: Examples = 20,
    nonzeros: Annotated[int, "Nonzero entries of a diagonal linear network's teacher."] = 3,
    scale: Scale = 0.1,
    depth: Annotated[int, "Power of each weight of a diagonal linear network."] = 2,
    seed: Seed = 0,
) -> Problem:
    """Underdetermined sparse regression with w = u^D - v^D, started at u = v = scale: the scale sets the implicit bias.

    L = mean 1/2 (x'w - y)^2, x standard normal, y noiseless from a w with `nonzeros` entries of size 1. depth: D.
    """
    if not 1 <= nonzeros <= dimension or examples < 1 or not scale > 0:
        raise ValueError(
            f"`nonzeros` must lie between 1 and `dimension`, `examples` be at least 1 and `scale` positive, "
            f"got {nonzeros} of {dimension}, {examples} and {scale}."
        )
    if depth < 2:
        raise ValueError(f"`depth` of a diagonal network must be at least 2, got {depth}.")
    check_memory(examples * dimension, times=2, examples=examples, dimension=dimension)
    random = np.random.default_rng(seed)
    inputs = random.standard_normal((examples, dimension))
    truth = np.zeros(dimension)
    truth[:nonzeros] = np.where(np.arange(nonzeros) % 2 == 0, 1.0, -1.0)
    loss = DataLoss(DiagonalModel(depth), half_squared_error, jnp.asarray(inputs), jnp.asarray(inputs @ truth)[:, None])
    start = {"u": jnp.full(dimension, scale), "v": jnp.full(dimension, scale)}
    return Problem("diagonal-linear", loss, start, predict=loss.predict)


def _orthogonal(random: np.random.Generator, size: int) -> np.ndarray:
    q, r = np.linalg.qr(random.standard_normal((size, size)))
    return q * np.sign(np.diag(r))
