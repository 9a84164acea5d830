"""Nesterov's method in the coordinates of the deep-learning libraries."""

from typing import Any

import jax
import jax.numpy as jnp

from landscapes import Params

from .method import Gradient, Method, check_learning_rate, check_momentum


class NesterovLookAhead(Method):
    """v <- b v - h grad L(y);  y <- y + b v - h grad L(y)      (y = x + b v of `Nesterov`)

    The params are the look-ahead points y, as in PyTorch's and optax's sgd(nesterov=True): the run of `Nesterov` from
    rest, seen in other coordinates, with another modified equation; under a momentum schedule they are two methods, as
    this one takes b_n on both sides of step n. Stable below (2 + 2b) / (h (1 + 2b)).
    """

    learning_rate: Any
    momentum: Any = 0.9

    def __check_init__(self):
        check_learning_rate(self.learning_rate)
        check_momentum(self.momentum)

    def init(self, params: Params) -> Params:
        return jax.tree.map(jnp.zeros_like, params)

    def step(self, gradient: Gradient, params: Params, state: Params) -> tuple[Params, Params]:
        pull = jax.tree.map(lambda g: self.learning_rate * g, gradient(params))
        velocity = jax.tree.map(lambda v, p: self.momentum * v - p, state, pull)
        return jax.tree.map(lambda y, v, p: y + self.momentum * v - p, params, velocity, pull), velocity

    def state_after(self, gradient: Gradient, previous: Params, params: Params) -> Params:
        # y - y_ = b v - h grad L(y_), and v is the velocity after the step; without momentum it is -h grad L(y_).
        b, h = self.momentum, self.learning_rate
        return jax.tree.map(
            lambda y_, y, g: jnp.where(b > 0, (y - y_ + h * g) / jnp.where(b > 0, b, 1), -h * g).astype(y.dtype),
            previous,
            params,
            gradient(previous),
        )

    def stability_threshold(self) -> float | None:
        b = self.momentum
        return (2 + 2 * b) / (self.learning_rate * (1 + 2 * b)) if self.is_constant else None
