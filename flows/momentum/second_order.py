"""What the second-order equations of momentum share: a state of position and velocity, and a clock of sqrt(h)."""

from abc import abstractmethod
from typing import Any, ClassVar, Literal, NamedTuple

import jax
import jax.numpy as jnp

from landscapes import Loss, Params

from ..flow import Start
from ..modified.quadratic import pair_radius
from ..running.ode import ODEFlow

InitialVelocity = Literal["corrected", "published"]


class Motion(NamedTuple):
    """X and X'."""

    position: Params
    velocity: Params


class SecondOrderFlow(ODEFlow):
    """X'' = acceleration(t, X, X'), from X(0) = x_0 and an initial velocity."""

    @property
    def expects_rest(self) -> bool:
        """Its initial velocity is that of a method at rest."""
        return True

    def init(self, loss: Loss, start: Start) -> Any:
        return Motion(start.params, self.initial_velocity(loss, start.params))

    def params(self, state: Any) -> Params:
        return state.position

    def vector_field(self, loss: Loss, t: Any, state: Any) -> Any:
        return Motion(state.velocity, self.acceleration(loss, t, state.position, state.velocity))

    @abstractmethod
    def initial_velocity(self, loss: Loss, params: Params) -> Params:
        """X'(0)."""

    @abstractmethod
    def acceleration(self, loss: Loss, t: Any, position: Params, velocity: Params) -> Params:
        """X''."""


class RootClockFlow(SecondOrderFlow):
    """One that moves on by sqrt(h) with each step; orders are in sqrt(h)."""

    clock_exponent: ClassVar[float] = 0.5

    @property
    def series_radius(self) -> float | None:
        """`pair_radius`, of a constant method."""
        try:
            return pair_radius(self.method) if self.method.is_constant else None
        except ValueError:
            return None

    def expansion_parameter(self, sharpness: float) -> float:
        """sqrt(h S): a step takes that much of the time 1/sqrt(S) in which the flow turns."""
        return float(self.time_per_step) * sharpness**0.5


def check_initial_velocity(start: str) -> None:
    """ValueError unless it is one of the two velocities that a flow may start with."""
    if start not in ("corrected", "published"):
        raise ValueError(f"`start` must be 'corrected' or 'published', got {start!r}.")


def along_gradient(loss: Loss, params: Params, weight: Any) -> Params:
    """weight times grad L, in the dtype of the params."""
    return jax.tree.map(lambda g: (weight * g).astype(g.dtype), jax.grad(loss)(params))


def at_rest(params: Params) -> Params:
    """Velocity zero."""
    return jax.tree.map(jnp.zeros_like, params)


def pulled(velocity: Params, gradient: Params, friction: Any, weight: Any = 1.0) -> Params:
    """-friction X' - weight grad L, in the dtype of the velocity."""
    return jax.tree.map(lambda v, g: (-friction * v - weight * g).astype(v.dtype), velocity, gradient)
