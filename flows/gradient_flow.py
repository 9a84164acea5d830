"""Gradient flow, the h -> 0 limit of a method."""

from typing import Any, ClassVar

import jax

from discrete import Method
from discrete.traits import Stages
from landscapes import Loss, Params

from .flow import FieldCost, check_constant, limiting_speed
from .modified.coefficients import first_order_left_out
from .modified.method_scheme import scheme_of
from .registered import named
from .running.ode import ODEFlow


@named("gradient", "gradient flow, order 1")
class GradientFlow(ODEFlow):
    """dX/dt = -grad L(X) / (1 - b),  x_n ~ X(n h)      (b = momentum, 0 for a method without)

    Claims order 1: the distance at fixed time closes like h (explicit Euler for gradient descent; Kovachki and Stuart
    2021, theorem 3, for constant momentum), and the classical order of a Runge-Kutta method. Time runs 1/(1 - b) faster
    than in dX/dt = -grad L, because momentum accumulates that many gradients; for any other linear `recursion` that
    factor is its `speed`. Raises ValueError for a method whose limit it is not.
    """

    method: Method
    real_spectrum: ClassVar[bool] = True

    def __init__(self, method: Method):
        check_constant("GradientFlow", method)
        if limiting_speed(method) is None:
            raise ValueError(
                "GradientFlow is the limit of GradientDescent, HeavyBall, Nesterov, NesterovLookAhead, TwoStep and "
                f"RungeKutta, not of {type(method).__name__}, which has no `recursion` of constant coefficients."
            )
        self.method = method

    @property
    def order(self) -> int:
        """1, or the classical order of a Runge-Kutta method."""
        stages = isinstance(self.method.recursion(), Stages)
        return first_order_left_out(scheme_of(self.method), 1) - 1 if stages else 1

    @property
    def speed(self) -> Any:
        """1/(1 - b): how much faster than -grad L it runs."""
        return limiting_speed(self.method)

    @property
    def field_cost(self) -> FieldCost:
        """One gradient."""
        return FieldCost(gradients=1)

    def vector_field(self, loss: Loss, t: Any, state: Params) -> Params:
        del t
        speed = -self.speed
        return jax.tree.map(lambda g: speed * g, jax.grad(loss)(state))
