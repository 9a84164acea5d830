"""Polyak's heavy ball."""

from typing import Any

import jax
import jax.numpy as jnp

from landscapes import Params

from ..method import Gradient
from ..registered import named
from ..settings import Momentum
from .momentum_method import MomentumMethod


@named("heavy-ball")
class HeavyBall(MomentumMethod):
    """v <- b v - h grad L(x);  x <- x + v      (Polyak 1964; h = learning_rate, b = momentum)

    The state is v, the last displacement; it starts at rest, v = 0. Same iterates as PyTorch's and optax's sgd with
    momentum b and learning rate h. Stable on a quadratic while the sharpness is below (2 + 2b)/h.
    """

    learning_rate: Any
    momentum: Momentum = 0.9

    def looks_ahead(self) -> float:
        return 0.0

    def step(self, gradient: Gradient, params: Params, state: Params) -> tuple[Params, Params]:
        velocity = jax.tree.map(lambda v, g: self.momentum * v - self.learning_rate * g, state, gradient(params))
        return jax.tree.map(jnp.add, params, velocity), velocity
