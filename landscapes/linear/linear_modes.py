"""The exact solutions of deep linear networks: modes that learn one by one (Saxe et al. 2014)."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import jax.numpy as jnp
import numpy as np
import scipy.special
from jaxtyping import Array, Float

from ..problem import Problem
from .linear_networks import product_model


def mode_strengths(problem: Problem) -> Callable[[list[Array]], Float[Array, " modes"]]:
    """weights -> (u_1, u_2, ...), the diagonal of P' W_1 ... W_d Q, where `deep_linear` teaches P diag(s) Q'.

    An observable of a problem made by `deep_linear`; its modes are in the order of falling s.
    """
    left, right = mode_bases(problem)
    return lambda weights: jnp.diag(product_model(weights, jnp.asarray(left.T)) @ right.T)


def decoupled_start(problem: Problem, first: float) -> list[Array]:
    """Weights from which every mode of a `deep_linear` problem learns as if alone, each at the strength `first`.

    W_i = first^(1/d) R_{i-1} R_i', with R_0 = P, R_d = Q of the teacher P diag(s) Q' and rotations R_i of the hidden
    units, those that the problem itself starts from. Raises ValueError unless `first` is positive.
    """
    if not first > 0:
        raise ValueError(f"`first` must be positive, got {first}.")
    left, right = mode_bases(problem)
    hidden = [weight / jnp.linalg.norm(weight, 2) for weight in problem.params[:-1]]
    rotations = [jnp.asarray(left), *hidden, jnp.asarray(right.T)]
    return [first ** (1 / len(problem.params)) * before @ after.T for before, after in pairwise(rotations)]


def mode_sigmoid(time: Any, strength: Any, first: Any) -> Any:
    """u(t) = s / (1 + (s/u_0 - 1) e^(-2 s t)), which solves u' = 2 u (s - u): a mode of two weight matrices."""
    return strength / (1 + (strength / first - 1) * np.exp(-2 * strength * time))


def mode_time(u: Any, depth: int, strength: Any, first: Any) -> Any:
    """The time that gradient flow of `depth` weight matrices takes to bring a mode from the strength `first` to u.

    u' = d u^(2 - 2/d) (s - u), all d layers alike.  For d = 2, log(u (s - u_0) / (u_0 (s - u))) / (2 s); beyond, with
    e = 2/d - 1, the integral is u^e F(1, e; e + 1; u/s) / ((2 - d) s), F Gauss's hypergeometric function.
    Raises ValueError for a depth below 2.
    """
    if depth < 2:
        raise ValueError(f"`depth` must be at least 2, got {depth}.")

    def until(u: Any) -> Any:
        if depth == 2:
            return np.log(u / (strength - u)) / (2 * strength)
        power = 2 / depth - 1
        return u**power * scipy.special.hyp2f1(1, power, power + 1, u / strength) / ((2 - depth) * strength)

    return until(u) - until(first)


def mode_bases(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """P and Q' of the matrix P diag(s) Q' that takes the inputs to the targets."""
    loss: Any = problem.loss
    left, _, right = np.linalg.svd(np.linalg.solve(loss.inputs, loss.targets))
    return left, right
