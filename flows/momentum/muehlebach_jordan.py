"""The equation of Muehlebach and Jordan, with the gradient taken ahead of the position."""

from typing import Any, ClassVar

import jax

from discrete import Method
from discrete.traits import Recursion
from landscapes import Loss, Params

from ..flow import FieldCost, momentum_of
from ..registered import named
from .polyak import with_friction
from .second_order import RootClockFlow, at_rest, pulled


@named("muehlebach-jordan", "the same with the gradient taken ahead")
class MuehlebachJordan(RootClockFlow):
    """X'' + ((1 - b)/sqrt(h)) X' + grad L(X + a sqrt(h) X') = 0,  X'(0) = 0,   x_n ~ X(n sqrt(h))

    Muehlebach and Jordan 2019, equation 1: q'' + 2 d q' + (1/S) grad f(q + beta q') = 0 in the time t = n, with
    2 d = 1 - b, 1/S = h and beta = a, which is b for Nesterov and 0 for heavy ball; here in t = n sqrt(h).
    Semi-implicit Euler with the step sqrt(h) is the method itself (`discrete.muehlebach_jordan`).
    Claims order 1 in sqrt(h) where the friction is kept, b = 1 - c sqrt(h). Raises ValueError for other methods.
    """

    method: Method
    order: ClassVar[int] = 1

    def __init__(self, method: Method):
        self.method = with_friction("MuehlebachJordan", method)

    @property
    def field_cost(self) -> FieldCost:
        """One gradient."""
        return FieldCost(gradients=1)

    def initial_velocity(self, loss: Loss, params: Params) -> Params:
        del loss
        return at_rest(params)

    def acceleration(self, loss: Loss, t: Any, position: Params, velocity: Params) -> Params:
        del t
        found = self.method.recursion()
        assert isinstance(found, Recursion)
        reach = found.lead * self.time_per_step
        ahead = jax.tree.map(lambda x, v: (x + reach * v).astype(x.dtype), position, velocity)
        return pulled(velocity, jax.grad(loss)(ahead), (1 - momentum_of(self.method)) / self.time_per_step)
