"""Gradient descent."""

import math
from typing import Any

import jax

from landscapes import Params

from ..method import Gradient, Method, check_learning_rate
from ..registered import named
from ..traits import Alternation, Filter, Filters, Stages, Threshold, euler


@named("gradient-descent")
class GradientDescent(Method):
    """x <- x - h grad L(x)      (Cauchy 1847; h = learning_rate)

    Stable on a quadratic while the sharpness is below 2/h.
    """

    learning_rate: Any

    def __check_init__(self):
        check_learning_rate(self.learning_rate)

    def init(self, params: Params) -> None:
        del params

    def step(self, gradient: Gradient, params: Params, state: None) -> tuple[Params, None]:
        return jax.tree.map(lambda x, g: x - self.learning_rate * g, params, gradient(params)), state

    def state_after(self, gradient: Gradient, previous: Params, params: Params) -> None:
        del gradient, previous, params

    def characteristic(self, z: Any) -> tuple[Any, ...]:
        return 1.0, z - 1

    def recursion(self) -> Stages:
        return euler()

    def filters(self) -> Filters | None:
        return Filters((Filter(0.0, 1.0),), lambda _, seen: seen[0]) if self.is_constant else None

    def alternation(self) -> Alternation:
        return Alternation(2.0, 1.0, 1.0)

    def threshold(self) -> Threshold | None:
        return Threshold(2 / self.learning_rate, math.pi) if self.is_constant else None
