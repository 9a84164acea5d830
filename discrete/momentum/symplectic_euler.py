"""The symplectic Euler discretization of the high-resolution equation, after Shi, Du, Su and Jordan."""

import math
from typing import Any

import jax
import jax.numpy as jnp

from landscapes import Params

from ..method import Gradient, Method
from ..registered import named
from ..settings import StrongConvexity
from ..traits import Filters, Recursion, Threshold
from .classical_momentum import strongly_convex_momentum


@named("symplectic-euler")
class SymplecticEuler(Method):
    """d <- (d - (1 - q) h grad L(x)) / (1 + 2 q);  x <- x - h grad L(x) + d,   q = sqrt(m h)

    h = learning_rate, m = strong_convexity. Symplectic Euler with step sqrt(h) for the high-resolution equation of
    Nesterov's method (Shi, Du, Su and Jordan 2019, scheme S):
        x_{n+1} = x_n + sqrt(h) v_n,
        v_{n+1} = v_n - 2 q v_{n+1} - sqrt(h) (grad L(x_{n+1}) - grad L(x_n)) - sqrt(h) (1 + q) grad L(x_{n+1}),
    written in d = sqrt(h) v + h grad L(x), which leaves one gradient a step. It starts with d = 0, a first step of
    -h (2 + q)/(1 + 2 q) grad L(x_0); the paper's is -2 h/(1 + q) grad L(x_0). Stable below
    4 (1 + q) / (h (3 + q)).
    """

    learning_rate: Any
    strong_convexity: StrongConvexity

    def __check_init__(self):
        strongly_convex_momentum(self.learning_rate, self.strong_convexity)

    @property
    def root(self) -> Any:
        """q = sqrt(m h)."""
        return (self.strong_convexity * self.learning_rate) ** 0.5

    def init(self, params: Params) -> Params:
        return jax.tree.map(jnp.zeros_like, params)

    def step(self, gradient: Gradient, params: Params, state: Params) -> tuple[Params, Params]:
        q = self.root
        pull = jax.tree.map(lambda g: self.learning_rate * g, gradient(params))
        ahead = jax.tree.map(lambda d, p: (d - (1 - q) * p) / (1 + 2 * q), state, pull)
        return jax.tree.map(lambda x, p, d: x - p + d, params, pull, ahead), ahead

    def state_after(self, gradient: Gradient, previous: Params, params: Params) -> Params:
        return jax.tree.map(
            lambda before, now, g: now - before + self.learning_rate * g, previous, params, gradient(previous)
        )

    def recursion(self) -> Recursion:
        keep, pull = 1 / (1 + 2 * self.root), (1 - self.root) / (1 + 2 * self.root)
        return Recursion(keep, weight=pull, direct=1.0, root=self.root)

    def filters(self) -> Filters | None:
        return self.recursion().filters()

    def threshold(self) -> Threshold | None:
        """4 (1 + q) / (h (3 + q)), where a root passes -1."""
        return Threshold(float(4 * (1 + self.root) / (self.learning_rate * (3 + self.root))), math.pi)
