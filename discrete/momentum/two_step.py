"""The two-parameter family of momentum methods that holds heavy ball and Nesterov."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from landscapes import Params

from ..method import Gradient, check_number
from .momentum_method import MomentumMethod


class TwoStep(MomentumMethod):
    """v <- b v - h grad L(x + a v);  x <- x + v      (h = learning_rate, b = momentum, a = look_ahead)

    The recursion x_{n+1} - (1 + b) x_n + b x_{n-1} = -h grad L(x_n + a (x_n - x_{n-1})) of Kovachki and Stuart 2021:
    heavy ball is a = 0, Nesterov a = b.
    """

    learning_rate: Any
    momentum: Any
    look_ahead: Any
    schedulable: ClassVar[tuple[str, ...]] = ("learning_rate", "momentum", "look_ahead")

    def __check_init__(self):
        check_number("look_ahead", self.look_ahead)

    def looks_ahead(self) -> Any:
        return self.look_ahead

    def step(self, gradient: Gradient, params: Params, state: Params) -> tuple[Params, Params]:
        ahead = jax.tree.map(lambda x, v: x + self.look_ahead * v, params, state)
        velocity = jax.tree.map(lambda v, g: self.momentum * v - self.learning_rate * g, state, gradient(ahead))
        return jax.tree.map(jnp.add, params, velocity), velocity
