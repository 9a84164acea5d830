"""The Bregman-Lagrangian family of Wibisono, Wilson and Jordan, in Euclidean geometry."""

from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp

from discrete import Method
from discrete.momentum.bregman_leapfrog import BregmanMomentum, BregmanRate
from discrete.traits import Recursion
from landscapes import Loss, Params

from ..flow import FieldCost
from ..registered import named
from .energy import Energy, combined, squared
from .second_order import RootClockFlow, at_rest


@named("bregman", "Bregman-Lagrangian flow of order p")
class Bregman(RootClockFlow):
    """X'' + ((p + 1)/t) X' + C p^2 t^(p-2) grad L(X) = 0,  X(0) = x_0,  X'(0) = 0,   x_n ~ X(n e)

    Wibisono, Wilson and Jordan 2016, equation 6, with the squared Euclidean distance; p and C are those of the method,
    `bregman_leapfrog(e^2, p, C)`. p = 2, C = 1/4 is the equation of Su, Boyd and Candes. For convex L,
    L(X) - L* <= |x_0 - x*|^2 / (2 C t^p) (their theorem 1.1). All are one curve at different speeds: if X solves p = 2
    then X(t^(p/2)) solves p (their theorem 1.2). At t = 0 the equation is taken in the limit.
    Claims order 2 in e: the leapfrog's. Raises ValueError for any other method.
    """

    method: Method
    order: ClassVar[int] = 2

    def __init__(self, method: Method):
        found, rate = method.recursion(), method.learning_rate
        momentum = found.momentum if isinstance(found, Recursion) and found.is_heavy_ball else None
        if not (isinstance(rate, BregmanRate) and momentum == BregmanMomentum(rate.power)):
            raise ValueError(f"Bregman describes bregman_leapfrog(h, p, C), not {type(method).__name__} as given.")
        self.method = method

    @property
    def power(self) -> int:
        """p."""
        return self.method.learning_rate.power

    @property
    def constant(self) -> Any:
        """C."""
        return self.method.learning_rate.constant

    @property
    def time_per_step(self) -> Any:
        """e."""
        return self.method.learning_rate.step_squared**0.5

    @property
    def field_cost(self) -> FieldCost:
        """One gradient."""
        return FieldCost(gradients=1)

    def energy(self, loss: Loss, minimizer: Params) -> "BregmanEnergy":
        """The energy behind the rate t^-p; it falls for convex losses."""
        return BregmanEnergy(loss, minimizer, self.time_per_step, self.power, self.constant)

    def initial_velocity(self, loss: Loss, params: Params) -> Params:
        del loss
        return at_rest(params)

    def acceleration(self, loss: Loss, t: Any, position: Params, velocity: Params) -> Params:
        p, started = self.power, t > 0
        now = jnp.where(started, t, 1)
        pull = self.constant * p**2 * now ** (p - 2)
        # The solution starts as x_0 - (C/2) t^p grad L(x_0).
        pull_at_0 = self.constant if p == 2 else 0.0
        return jax.tree.map(
            lambda g, v: jnp.where(started, -(p + 1) / now * v - pull * g, -pull_at_0 * g).astype(v.dtype),
            jax.grad(loss)(position),
            velocity,
        )


class BregmanEnergy(Energy):
    """E = C t^p (L - L*) + |X + (t/p) X' - x*|^2 / 2      (Wibisono, Wilson and Jordan 2016, equation 10)"""

    power: int = eqx.field(static=True)
    constant: Any = eqx.field(converter=jnp.asarray)

    def weight(self, time: Any) -> Any:
        return self.constant * time**self.power

    def squares(self, time: Any, params: Params, velocity: Params) -> Any:
        return squared(combined((1.0, self.from_minimizer(params)), (time / self.power, velocity))) / 2
