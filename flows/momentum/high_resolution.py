"""High-resolution equations of Shi, Du, Jordan and Su, and the low-resolution one that they refine."""

from typing import Any, ClassVar, Literal

import equinox as eqx
import jax
from jax.core import Tracer

from discrete import HeavyBall, Method, NesterovLookAhead
from landscapes import Loss, Params, gradient_and_product

from ..flow import FieldCost, check_constant, momentum_of
from .second_order import SecondOrderFlow, along_gradient, at_rest

Start = Literal["corrected", "published"]


class StronglyConvexFlow(SecondOrderFlow):
    """What both have: the clock t = n sqrt(h), and m from the momentum b = (1 - sqrt(m h))/(1 + sqrt(m h))."""

    method: Method
    clock_exponent: ClassVar[float] = 0.5

    def __check_init__(self):
        if not isinstance(self.method, HeavyBall | NesterovLookAhead):
            raise ValueError(
                f"{type(self).__name__} describes HeavyBall and NesterovLookAhead with the momentum "
                f"(1 - sqrt(m h))/(1 + sqrt(m h)), not {type(self.method).__name__}."
            )
        check_constant(type(self).__name__, self.method)
        momentum = momentum_of(self.method)
        if not isinstance(momentum, Tracer) and not momentum > 0:
            raise ValueError(
                "`momentum` must be positive here: b = (1 - sqrt(m h))/(1 + sqrt(m h)) with m h < 1, got 0."
            )

    @property
    def root(self) -> Any:
        """sqrt(m h) = (1 - b)/(1 + b)."""
        momentum = momentum_of(self.method)
        return (1 - momentum) / (1 + momentum)

    def expansion_parameter(self, sharpness: float) -> float:
        """sqrt(h S): a step takes that much of the time 1/sqrt(S) in which the flow turns."""
        return float(self.method.learning_rate * sharpness) ** 0.5


class LowResolution(StronglyConvexFlow):
    """X'' + 2 sqrt(m) X' + grad L(X) = 0,  X'(0) = 0,   x_n ~ X(n sqrt(h))

    Polyak's equation, the limit of heavy ball and of Nesterov alike (Shi, Du, Jordan and Su 2021, equation 1.6), which
    it cannot tell apart. Claims order 1 in sqrt(h).
    """

    order: ClassVar[int] = 1

    @property
    def field_cost(self) -> FieldCost:
        """One gradient."""
        return FieldCost(gradients=1)

    def initial_velocity(self, loss: Loss, params: Params) -> Params:
        del loss
        return at_rest(params)

    def acceleration(self, loss: Loss, t: Any, position: Params, velocity: Params) -> Params:
        del t
        friction = 2 * self.root / self.method.learning_rate**0.5
        return jax.tree.map(lambda g, v: (-friction * v - g).astype(v.dtype), jax.grad(loss)(position), velocity)


class HighResolution(StronglyConvexFlow):
    """X'' + 2 sqrt(m) X' + sqrt(h) H X' + (1 + sqrt(m h)) grad L(X) = 0   (Nesterov; heavy ball without H X')

    x_n ~ X(n sqrt(h)) (Shi, Du, Jordan and Su 2021, equations 1.10 and 1.11); x_n are the look-ahead points of
    Nesterov's method. The damping H X' along the Hessian is what tells the two methods apart.

    start: of a method at rest. "published": X'(0) = -2 sqrt(h)/(1 + sqrt(m h)) grad L(x_0), off by O(sqrt(h)): order 1.
        "corrected": X'(0) = -(3/2) sqrt(h) grad L(x_0) for Nesterov, -(1/2) sqrt(h) grad L(x_0) for heavy ball, so that
        X(sqrt h) is the first step to O(h^(3/2)): order 2. (Derived here. The paper starts heavy ball with a first step
        twice as long, for which -(3/2) is right as well: state = -h grad L(x_0) gives that start.)
    order: in sqrt(h) at fixed time.
    """

    start: Start = eqx.field(static=True)

    def __init__(self, method: Method, start: Start = "corrected"):
        if start not in ("corrected", "published"):
            raise ValueError(f"`start` must be 'corrected' or 'published', got {start!r}.")
        self.method, self.start = method, start

    @property
    def order(self) -> int:
        """In sqrt(h): 2 from the corrected start, 1 from the published one."""
        return 2 if self.start == "corrected" else 1

    @property
    def field_cost(self) -> FieldCost:
        """One gradient, and for Nesterov a Hessian product."""
        return FieldCost(gradients=1, hessian_products=int(isinstance(self.method, NesterovLookAhead)))

    def initial_velocity(self, loss: Loss, params: Params) -> Params:
        step = self.method.learning_rate**0.5
        if self.start == "published":
            return along_gradient(loss, params, -2 * step / (1 + self.root))
        return along_gradient(loss, params, -step * (1.5 if isinstance(self.method, NesterovLookAhead) else 0.5))

    def acceleration(self, loss: Loss, t: Any, position: Params, velocity: Params) -> Params:
        del t
        step = self.method.learning_rate**0.5
        friction = 2 * self.root / step
        if isinstance(self.method, HeavyBall):
            gradient = jax.grad(loss)(position)
            return jax.tree.map(lambda g, v: (-friction * v - (1 + self.root) * g).astype(v.dtype), gradient, velocity)
        gradient, product = gradient_and_product(loss, position, velocity)
        return jax.tree.map(
            lambda g, v, hv: (-friction * v - step * hv - (1 + self.root) * g).astype(v.dtype),
            gradient,
            velocity,
            product,
        )
