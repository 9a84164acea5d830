"""The equation of Su, Boyd and Candes for Nesterov's method with its convex momentum."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from discrete import Method, Nesterov, convex_momentum
from landscapes import Loss, Params

from ..flow import FieldCost
from .second_order import SecondOrderFlow, at_rest


class SuBoydCandes(SecondOrderFlow):
    """X'' + (r/t) X' + grad L(X) = 0,  X(0) = x_0,  X'(0) = 0,   x_n ~ X(n sqrt(h))

    Su, Boyd and Candes 2016, equation 3. r = 3 models Nesterov's method with the momentum (n - 1)/(n + 2); another r is
    another equation, of which nothing is claimed about this method. At t = 0 the damping is taken in the limit:
    X''(0) = -grad L(x_0)/(1 + r). For convex L and r >= 3, L(X) - L* <= (r - 1)^2 |x_0 - x*|^2 / (2 t^2) (their
    theorems 3 and 5); below 3 this rate is lost.
    Claims order 1 in sqrt(h): the distance at fixed time closes like sqrt(h). (Their theorem 2 says that it closes.)
    Raises ValueError for any other method, and for r <= 0.
    """

    method: Method
    r: Any
    clock_exponent: ClassVar[float] = 0.5

    def __init__(self, method: Method, r: Any = 3.0):
        if not (isinstance(method, Nesterov) and method.momentum is convex_momentum):
            raise ValueError(
                f"SuBoydCandes describes nesterov_convex(h), not {type(method).__name__} with this momentum; for "
                "constant momentum take KovachkiStuart or ModifiedFlow."
            )
        if callable(method.learning_rate):
            raise ValueError("SuBoydCandes needs a constant learning rate; this method has a schedule.")
        if isinstance(r, int | float) and not r > 0:
            raise ValueError(f"`r` must be positive, got {r}; 3 is Nesterov's.")
        self.method, self.r = method, r

    @property
    def order(self) -> int | None:
        """1 in sqrt(h) for r = 3; None for another r."""
        return 1 if self.r == 3 else None

    @property
    def field_cost(self) -> FieldCost:
        """One gradient."""
        return FieldCost(gradients=1)

    def expansion_parameter(self, sharpness: float) -> float:
        """sqrt(h S): a step takes that much of the time 1/sqrt(S) in which the flow turns."""
        return float(self.method.learning_rate * sharpness) ** 0.5

    def initial_velocity(self, loss: Loss, params: Params) -> Params:
        del loss
        return at_rest(params)

    def acceleration(self, loss: Loss, t: Any, position: Params, velocity: Params) -> Params:
        started = t > 0
        friction = self.r / jnp.where(started, t, 1)
        return jax.tree.map(
            lambda g, v: jnp.where(started, -friction * v - g, -g / (1 + self.r)).astype(v.dtype),
            jax.grad(loss)(position),
            velocity,
        )
