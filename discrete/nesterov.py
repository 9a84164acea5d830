"""Nesterov's accelerated gradient, with constant momentum and with its two classical schedules."""

import math
from typing import Any

import jax
import jax.numpy as jnp

from landscapes import Params

from .method import Gradient, Method, check_learning_rate, check_momentum


class Nesterov(Method):
    """v <- b v - h grad L(x + b v);  x <- x + v      (Nesterov 1983; h = learning_rate, b = momentum)

    The params are the x. PyTorch and optax report the look-ahead points y = x + b v as their parameters: the same run
    in other coordinates, with another modified equation. Same spectrum on a quadratic; stable while the sharpness is
    below (2 + 2b) / (h (1 + 2b)).
    """

    learning_rate: Any
    momentum: Any = 0.9

    def __check_init__(self):
        check_learning_rate(self.learning_rate)
        check_momentum(self.momentum)

    def init(self, params: Params) -> Params:
        return jax.tree.map(jnp.zeros_like, params)

    def step(self, gradient: Gradient, params: Params, state: Params) -> tuple[Params, Params]:
        ahead = jax.tree.map(lambda x, v: x + self.momentum * v, params, state)
        velocity = jax.tree.map(lambda v, g: self.momentum * v - self.learning_rate * g, state, gradient(ahead))
        return jax.tree.map(jnp.add, params, velocity), velocity

    def state_after(self, gradient: Gradient, previous: Params, params: Params) -> Params:
        del gradient
        return jax.tree.map(jnp.subtract, params, previous)

    def stability_threshold(self) -> float | None:
        b = self.momentum
        return (2 + 2 * b) / (self.learning_rate * (1 + 2 * b)) if self.is_constant else None


def convex_momentum(step: Any) -> Any:
    """b_n = (n - 1)/(n + 2)      (Nesterov 1983 in the form of Su, Boyd and Candes 2016, equation 1)"""
    return (step - 1) / (step + 2)


def nesterov_convex(learning_rate: Any) -> Nesterov:
    """Nesterov's method for convex losses: step n = 0, 1, ... has momentum (n - 1)/(n + 2), from rest.

    L(x_n) - L* <= 2 |x_0 - x*|^2 / (h (n + 1)^2) while h is at most 1 over the sharpness (Su, Boyd and Candes 2016).
    """
    return Nesterov(learning_rate, convex_momentum)


def nesterov_strongly_convex(learning_rate: Any, strong_convexity: float) -> Nesterov:
    """Nesterov's method for m-strongly convex losses, with momentum (1 - sqrt(m h)) / (1 + sqrt(m h)).

    Nesterov 2004, scheme 2.2.22. Raises ValueError unless h is a number and 0 < m h <= 1.
    """
    if callable(learning_rate):
        raise ValueError("`learning_rate` must be a number here: the momentum follows from it; pass no schedule.")
    check_learning_rate(learning_rate)
    product = strong_convexity * learning_rate
    if not 0 < product <= 1:
        raise ValueError(f"`strong_convexity` times `learning_rate` must lie in (0, 1], got {product}.")
    root = math.sqrt(product)
    return Nesterov(learning_rate, (1 - root) / (1 + root))
