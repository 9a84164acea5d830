"""The second-order equation of Kovachki and Stuart, whose momentum depends on the learning rate."""

from typing import Any

import equinox as eqx
import jax

from discrete import Method
from discrete.traits import Recursion
from landscapes import Loss, Params

from ..flow import FieldCost, check_constant, momentum_of
from ..registered import named
from .energy import MechanicalEnergy
from .second_order import InitialVelocity, SecondOrderFlow, along_gradient, check_initial_velocity, pulled


@named("kovachki-stuart", "second-order equation with inertia of size h")
class KovachkiStuart(SecondOrderFlow):
    """h alpha X'' + (1 - b) X' = -grad L(X),   alpha = (1 + b - 2 a (1 - b)) / 2,   x_n ~ X(n h)

    Kovachki and Stuart 2021, theorem 4, with b their lambda; the look-ahead is a = 0 for heavy ball, alpha = (1 + b)/2,
    and a = b for Nesterov, alpha = (1 - b + 2 b^2)/2. Its transient lasts a time of h alpha/(1 - b).

    start: of a method at rest. "published": X'(0) = -(1 - 2 alpha)/(2 alpha - b + 1) grad L(x_0), as transcribed, not
        read in the paper: order 1 (2 for Nesterov at b = 1/2, where both starts are zero). "corrected":
        X'(0) = -(alpha - b)/(alpha (1 - b)) grad L(x_0), which moves the flow by as much as the method: order 2 once
        both transients have died, order 1 before. Derived here: from velocity V the flow comes to follow the slow one
        from x_0 + h alpha/(1 - b) (V + grad L/(1 - b)), the method from x_0 + h b/(1 - b)^2 grad L.
    order: in h at fixed time, after the transient.
    Raises ValueError for other methods and for schedules.
    """

    method: Method
    start: InitialVelocity = eqx.field(static=True)

    def __init__(self, method: Method, start: InitialVelocity = "corrected"):
        check_initial_velocity(start)
        self.method, self.start = two_step_method("KovachkiStuart", method), start
        if isinstance(self.inertia, int | float) and not self.inertia > 0:
            raise ValueError(
                f"`look_ahead` must be below (1 + b)/(2 (1 - b)) here, got {look_ahead_of(self.method):g}: the "
                f"inertia alpha would be {self.inertia:g}; take InvariantManifold or ModifiedFlow."
            )

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
        return inertia(self.method)

    def energy(self, loss: Loss) -> MechanicalEnergy:
        """L + (h alpha/2) |X'|^2, which falls at the rate (1 - b) |X'|^2."""
        return MechanicalEnergy(loss, self.method.learning_rate * self.inertia, self.time_per_step)

    def initial_velocity(self, loss: Loss, params: Params) -> Params:
        alpha, b = self.inertia, momentum_of(self.method)
        if self.start == "published":
            return along_gradient(loss, params, -(1 - 2 * alpha) / (2 * alpha - b + 1))
        return along_gradient(loss, params, -(alpha - b) / (alpha * (1 - b)))

    def acceleration(self, loss: Loss, t: Any, position: Params, velocity: Params) -> Params:
        del t
        mass = self.method.learning_rate * self.inertia
        return pulled(velocity, jax.grad(loss)(position), (1 - momentum_of(self.method)) / mass, 1 / mass)


def inertia(method: Method) -> Any:
    """alpha = (1 + b - 2 a (1 - b)) / 2 of a method with momentum b and look-ahead a."""
    b, a = momentum_of(method), look_ahead_of(method)
    return (1 + b - 2 * a * (1 - b)) / 2


def look_ahead_of(method: Method) -> Any:
    """a, where the gradient is taken at x + a v."""
    found = method.recursion()
    assert isinstance(found, Recursion)
    return found.look_ahead


def two_step_method(flow: str, method: Method) -> Method:
    """The method; ValueError unless it is one of Kovachki and Stuart's, with constant hyper-parameters."""
    found = method.recursion()
    if not (isinstance(found, Recursion) and found.of_positions):
        raise ValueError(
            f"{flow} describes HeavyBall, Nesterov and TwoStep, not {type(method).__name__}, whose `recursion` is not "
            "one of theirs; ModifiedFlow asks for any with constant coefficients."
        )
    check_constant(flow, method)
    return method
