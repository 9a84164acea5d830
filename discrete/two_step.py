"""The two-parameter family of momentum methods that holds heavy ball and Nesterov."""

from typing import Any

import jax
import jax.numpy as jnp

from landscapes import Params

from .method import Gradient, Method, check_learning_rate, check_momentum, check_number


class TwoStep(Method):
    """v <- b v - h grad L(x + a v);  x <- x + v      (h = learning_rate, b = momentum, a = look_ahead)

    The recursion x_{n+1} - (1 + b) x_n + b x_{n-1} = -h grad L(x_n + a (x_n - x_{n-1})) of Kovachki and Stuart 2021:
    heavy ball is a = 0, Nesterov a = b.
    """

    learning_rate: Any
    momentum: Any
    look_ahead: Any

    def __check_init__(self):
        check_learning_rate(self.learning_rate)
        check_momentum(self.momentum)
        check_number("look_ahead", self.look_ahead)

    def init(self, params: Params) -> Params:
        return jax.tree.map(jnp.zeros_like, params)

    def step(self, gradient: Gradient, params: Params, state: Params) -> tuple[Params, Params]:
        ahead = jax.tree.map(lambda x, v: x + self.look_ahead * v, params, state)
        velocity = jax.tree.map(lambda v, g: self.momentum * v - self.learning_rate * g, state, gradient(ahead))
        return jax.tree.map(jnp.add, params, velocity), velocity

    def state_after(self, gradient: Gradient, previous: Params, params: Params) -> Params:
        del gradient
        return jax.tree.map(jnp.subtract, params, previous)

    def stability_threshold(self) -> float | None:
        """(2 + 2b) / (h (1 + 2a)), where a root passes -1; for a < 0 also (1 - b) / (-a h), where a pair leaves."""
        if not self.is_constant:
            return None
        b, a = float(self.momentum), float(self.look_ahead)
        ends = [(2 + 2 * b) / (1 + 2 * a)] if a > -0.5 else []
        ends += [(1 - b) / -a] if a < 0 else []
        return min(ends) / float(self.learning_rate)
