"""The second-order equation of Kovachki and Stuart, whose momentum depends on the learning rate."""

from typing import Any, Literal

import equinox as eqx
import jax

from discrete import HeavyBall, Method, Nesterov, TwoStep
from landscapes import Loss, Params

from ..flow import FieldCost, check_constant
from .second_order import SecondOrderFlow, along_gradient

Start = Literal["corrected", "published"]


class KovachkiStuart(SecondOrderFlow):
    """h alpha X'' + (1 - b) X' = -grad L(X),   alpha = (1 + b - 2 a (1 - b)) / 2,   x_n ~ X(n h)

    Kovachki and Stuart 2021, theorem 4, with b their lambda; the look-ahead is a = 0 for heavy ball, alpha = (1 + b)/2,
    and a = b for Nesterov, alpha = (1 - b + 2 b^2)/2. Its transient lasts a time of h alpha/(1 - b).

    start: of a method at rest. "published": X'(0) = -(1 - 2 alpha)/(2 alpha - b + 1) grad L(x_0), order 1 (2 for
        Nesterov at b = 1/2, where both starts are zero). "corrected": X'(0) = -(alpha - b)/(alpha (1 - b)) grad L(x_0),
        which moves the flow by as much as the method: order 2 once both transients have died, order 1 before. Derived
        here: from velocity V the flow comes to follow the slow one from x_0 + h alpha/(1 - b) (V + grad L/(1 - b)), the
        method from x_0 + h b/(1 - b)^2 grad L.
    order: in h at fixed time, after the transient.
    Raises ValueError for other methods and for schedules.
    """

    method: HeavyBall | Nesterov | TwoStep
    start: Start = eqx.field(static=True)

    def __init__(self, method: Method, start: Start = "corrected"):
        if start not in ("corrected", "published"):
            raise ValueError(f"`start` must be 'corrected' or 'published', got {start!r}.")
        if not isinstance(method, HeavyBall | Nesterov | TwoStep):
            raise ValueError(f"KovachkiStuart describes HeavyBall, Nesterov and TwoStep, not {type(method).__name__}.")
        check_constant("KovachkiStuart", method)
        self.method, self.start = method, start

    @property
    def order(self) -> int:
        """In h: 2 after the transient from the corrected start, 1 from the published one."""
        return 2 if self.start == "corrected" else 1

    @property
    def field_cost(self) -> FieldCost:
        """One gradient."""
        return FieldCost(gradients=1)

    @property
    def inertia(self) -> Any:
        """alpha."""
        b = self.method.momentum
        match self.method:
            case Nesterov():
                ahead = b
            case TwoStep(look_ahead=ahead):
                pass
            case _:
                ahead = 0.0
        return (1 + b - 2 * ahead * (1 - b)) / 2

    def initial_velocity(self, loss: Loss, params: Params) -> Params:
        alpha, b = self.inertia, self.method.momentum
        if self.start == "published":
            return along_gradient(loss, params, -(1 - 2 * alpha) / (2 * alpha - b + 1))
        return along_gradient(loss, params, -(alpha - b) / (alpha * (1 - b)))

    def acceleration(self, loss: Loss, t: Any, position: Params, velocity: Params) -> Params:
        del t
        alpha, b, h = self.inertia, self.method.momentum, self.method.learning_rate
        return jax.tree.map(
            lambda g, v: (-(g + (1 - b) * v) / (h * alpha)).astype(v.dtype), jax.grad(loss)(position), velocity
        )
