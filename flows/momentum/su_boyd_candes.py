"""The equation of Su, Boyd and Candes for Nesterov's method with its convex momentum."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from discrete import ConvexMomentum, Method
from discrete.schedule import is_schedule
from discrete.traits import Recursion
from landscapes import Loss, Params

from ..flow import FieldCost
from ..registered import named
from .energy import Energy, combined, squared
from .second_order import RootClockFlow, at_rest


@named("su-boyd-candes", "equation of Nesterov's convex momentum")
class SuBoydCandes(RootClockFlow):
    """X'' + (r/t) X' + grad L(X) = 0,  X(0) = x_0,  X'(0) = 0,   x_n ~ X(n sqrt(h))

    Su, Boyd and Candes 2016, equation 3 and section 4: Nesterov's method with the momentum (n - 1)/(n + r - 1). At
    t = 0 the damping is taken in the limit: X''(0) = -grad L(x_0)/(1 + r). For convex L and r >= 3,
    L(X) - L* <= (r - 1)^2 |x_0 - x*|^2 / (2 t^2) (their theorems 3 and 5); for r < 3 this is lost: t^(-2r/3) is what is
    left (Attouch, Chbani and Riahi 2019).
    Claims order 1 in sqrt(h): the distance at fixed time closes like sqrt(h). (Their theorem 2 says that it closes.)
    r: of the momentum.
    Raises ValueError for any other method.
    """

    method: Method
    r: float = eqx.field(static=True)

    def __init__(self, method: Method):
        momentum = convex_momentum(method.recursion())
        if momentum is None:
            raise ValueError(
                f"SuBoydCandes describes nesterov_convex(h, r), not {type(method).__name__} with this momentum; for "
                "constant momentum take KovachkiStuart or ModifiedFlow."
            )
        check_rate("SuBoydCandes", method)
        self.method, self.r = method, momentum.r

    @property
    def order(self) -> int:
        """1, in sqrt(h)."""
        return 1

    @property
    def field_cost(self) -> FieldCost:
        """One gradient."""
        return FieldCost(gradients=1)

    def energy(self, loss: Loss, minimizer: Params) -> "SuBoydCandesEnergy":
        """The energy behind the rate t^-2; falling for convex losses and r >= 3; ValueError for r <= 1: none."""
        check_friction(self.r)
        return SuBoydCandesEnergy(loss, minimizer, self.time_per_step, self.r)

    def initial_velocity(self, loss: Loss, params: Params) -> Params:
        del loss
        return at_rest(params)

    def acceleration(self, loss: Loss, t: Any, position: Params, velocity: Params) -> Params:
        return decaying_friction(loss, t, position, velocity, self.r)


class SuBoydCandesEnergy(Energy):
    """E = (2 t^2/(r - 1)) (L - L*) + (r - 1) |X + t X'/(r - 1) - x*|^2      (Su, Boyd and Candes 2016, theorem 5)

    Along Nesterov's method, of the following step k: (2 (k + r - 2)^2 h/(r - 1)) (L(x_k) - L*) + (r - 1) |z_k - x*|^2
    with z_k = x_k + (k - 1)/(r - 1) (x_k - x_{k-1}) (theorem 6); it falls for h at most 1 over the sharpness.
    """

    r: Any = eqx.field(converter=jnp.asarray)

    def weight(self, time: Any) -> Any:
        return 2 * time**2 / (self.r - 1)

    def squares(self, time: Any, params: Params, velocity: Params) -> Any:
        ahead = combined((1.0, self.from_minimizer(params)), (time / (self.r - 1), velocity))
        return (self.r - 1) * squared(ahead)

    def of_method(self, step: Any, params: Params, following: Params) -> Float[Array, ""]:
        moved = optax.tree.sub(following, params)
        ahead = combined((1.0, self.from_minimizer(following)), (step / (self.r - 1), moved))
        weight = 2 * ((step + self.r - 1) * self.time_per_step) ** 2 / (self.r - 1)
        return weight * self.gap(following) + (self.r - 1) * squared(ahead)


def convex_momentum(found: Any) -> ConvexMomentum | None:
    """The momentum of a recursion, where it is Nesterov's and that of convex losses; None of anything else."""
    if isinstance(found, Recursion) and found.is_nesterov and isinstance(found.momentum, ConvexMomentum):
        return found.momentum
    return None


def check_friction(r: float) -> None:
    """ValueError for an r without energy."""
    if not r > 1:
        raise ValueError(f"`r` must exceed 1 for the energy of this equation, got {r:g}; its theorem wants r >= 3.")


def check_rate(flow: str, method: Method) -> None:
    """ValueError unless the learning rate is constant."""
    if is_schedule(method.learning_rate):
        raise ValueError(f"{flow} needs a constant learning rate; this method has a schedule.")


def decaying_friction(loss: Loss, t: Any, position: Params, velocity: Params, r: Any) -> Params:
    """-(r/t) X' - grad L(X), and its limit -grad L/(1 + r) at t = 0, where X' = 0."""
    started = t > 0
    friction = r / jnp.where(started, t, 1)
    return jax.tree.map(
        lambda g, v: jnp.where(started, -friction * v - g, -g / (1 + r)).astype(v.dtype),
        jax.grad(loss)(position),
        velocity,
    )
