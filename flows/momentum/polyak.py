"""Polyak's heavy ball with friction."""

from typing import Any, ClassVar

import jax

from discrete import Method
from discrete.traits import Recursion
from landscapes import Loss, Params

from ..flow import FieldCost, check_constant, momentum_of
from ..registered import named
from .energy import MechanicalEnergy
from .second_order import RootClockFlow, at_rest, pulled


@named("polyak", "ball with friction (1 - b)/sqrt(h)")
class Polyak(RootClockFlow):
    """X'' + ((1 - b)/sqrt(h)) X' + grad L(X) = 0,  X'(0) = 0,   x_n ~ X(n sqrt(h))

    Polyak 1964, equation 9: a ball with friction (1 - b)/sqrt(h), for any method with momentum b and from rest.
    Claims order 1 in sqrt(h) where the friction is kept, b = 1 - c sqrt(h). Raises ValueError for other methods, for
    schedules, and for b = 0.
    """

    method: Method
    order: ClassVar[int] = 1

    def __init__(self, method: Method):
        self.method = with_friction("Polyak", method)

    @property
    def field_cost(self) -> FieldCost:
        """One gradient."""
        return FieldCost(gradients=1)

    @property
    def friction(self) -> Any:
        """(1 - b)/sqrt(h)."""
        return (1 - momentum_of(self.method)) / self.time_per_step

    def energy(self, loss: Loss) -> MechanicalEnergy:
        """L + |X'|^2/2, which falls at the rate of friction times |X'|^2."""
        return MechanicalEnergy(loss, 1.0, self.time_per_step)

    def initial_velocity(self, loss: Loss, params: Params) -> Params:
        del loss
        return at_rest(params)

    def acceleration(self, loss: Loss, t: Any, position: Params, velocity: Params) -> Params:
        del t
        return pulled(velocity, jax.grad(loss)(position), self.friction)


def with_friction(flow: str, method: Method) -> Method:
    """The method; ValueError unless it has constant momentum, and some."""
    found = method.recursion()
    if not (isinstance(found, Recursion) and (found.of_positions or found.of_look_ahead_points)):
        raise ValueError(
            f"{flow} describes HeavyBall, Nesterov, NesterovLookAhead and TwoStep, not {type(method).__name__}, whose "
            "`recursion` is not one of theirs."
        )
    check_constant(flow, method)
    check_some_momentum(found.momentum)
    return method


def check_some_momentum(momentum: Any) -> None:
    """ValueError for a momentum of 0, where nothing of second order is left."""
    if isinstance(momentum, int | float) and not momentum > 0:
        raise ValueError(f"`momentum` must be positive for an equation of second order, got {momentum}.")
