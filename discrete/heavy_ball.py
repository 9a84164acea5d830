"""Polyak's heavy ball."""

from typing import Any

import jax
import jax.numpy as jnp

from landscapes import Params

from .method import Gradient, Method, check_learning_rate, check_momentum


class HeavyBall(Method):
    """v <- b v - h grad L(x);  x <- x + v      (Polyak 1964; h = learning_rate, b = momentum)

    The state is v, the last displacement; it starts at rest, v = 0. Same iterates as PyTorch's and optax's sgd with
    momentum b and learning rate h. Stable on a quadratic while the sharpness is below (2 + 2b)/h.
    """

    learning_rate: Any
    momentum: Any = 0.9

    def __check_init__(self):
        check_learning_rate(self.learning_rate)
        check_momentum(self.momentum)

    def init(self, params: Params) -> Params:
        return jax.tree.map(jnp.zeros_like, params)

    def step(self, gradient: Gradient, params: Params, state: Params) -> tuple[Params, Params]:
        velocity = jax.tree.map(lambda v, g: self.momentum * v - self.learning_rate * g, state, gradient(params))
        return jax.tree.map(jnp.add, params, velocity), velocity

    def state_after(self, gradient: Gradient, previous: Params, params: Params) -> Params:
        del gradient
        return jax.tree.map(jnp.subtract, params, previous)

    def stability_threshold(self) -> float | None:
        return (2 + 2 * self.momentum) / self.learning_rate if self.is_constant else None
