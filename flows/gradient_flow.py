"""Gradient flow, the h -> 0 limit of a method."""

from typing import Any, ClassVar

import jax

from discrete import GradientDescent, HeavyBall, Method, Nesterov
from landscapes import Loss, Params

from .flow import FieldCost, Flow, check_constant


class GradientFlow(Flow):
    """dX/dt = -grad L(X) / (1 - b),  x_n ~ X(n h)      (b = momentum, 0 for gradient descent)

    Claims order 1: the distance at fixed time closes like h (explicit Euler for gradient descent; Kovachki and Stuart
    2021, theorem 3, for constant momentum). Time runs 1/(1 - b) faster than in dX/dt = -grad L, because momentum
    accumulates that many gradients. Raises ValueError for a method whose limit it is not.
    """

    method: Method
    order: ClassVar[int] = 1

    def __check_init__(self):
        if not isinstance(self.method, GradientDescent | HeavyBall | Nesterov):
            name = type(self.method).__name__
            raise ValueError(f"GradientFlow is the limit of GradientDescent, HeavyBall and Nesterov, not of {name}.")
        check_constant("GradientFlow", self.method)

    @property
    def field_cost(self) -> FieldCost:
        """One gradient."""
        return FieldCost(gradients=1)

    def vector_field(self, loss: Loss, t: Any, state: Params) -> Params:
        del t
        speed = -1 / (1 - momentum_of(self.method))
        return jax.tree.map(lambda g: speed * g, jax.grad(loss)(state))


def momentum_of(method: Method) -> Any:
    """b, which is 0 for gradient descent."""
    return method.momentum if isinstance(method, HeavyBall | Nesterov) else 0.0
