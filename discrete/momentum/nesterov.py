"""Nesterov's accelerated gradient."""

from typing import Any

import jax
import jax.numpy as jnp

from landscapes import Params

from ..method import Gradient
from ..registered import named
from ..settings import Momentum
from .momentum_method import MomentumMethod


@named("nesterov")
class Nesterov(MomentumMethod):
    """v <- b v - h grad L(x + b v);  x <- x + v      (Nesterov 1983; h = learning_rate, b = momentum)

    The params are the x. PyTorch and optax report the look-ahead points y = x + b v as their parameters: the same run
    in other coordinates, with another modified equation. Same spectrum on a quadratic; stable while the sharpness is
    below (2 + 2b) / (h (1 + 2b)).
    """

    learning_rate: Any
    momentum: Momentum = 0.9

    def looks_ahead(self) -> Any:
        return self.momentum

    def step(self, gradient: Gradient, params: Params, state: Params) -> tuple[Params, Params]:
        ahead = jax.tree.map(lambda x, v: x + self.momentum * v, params, state)
        velocity = jax.tree.map(lambda v, g: self.momentum * v - self.learning_rate * g, state, gradient(ahead))
        return jax.tree.map(jnp.add, params, velocity), velocity
