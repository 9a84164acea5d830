"""What the second-order equations of momentum share: a state of position and velocity."""

from abc import abstractmethod
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from landscapes import Loss, Params

from ..flow import Flow


class Motion(NamedTuple):
    """X and X'."""

    position: Params
    velocity: Params


class SecondOrderFlow(Flow):
    """X'' = acceleration(t, X, X'), from X(0) = x_0 and an initial velocity."""

    @property
    def expects_rest(self) -> bool:
        """Its initial velocity is that of a method at rest."""
        return True

    def init(self, loss: Loss, params: Params) -> Motion:
        return Motion(params, self.initial_velocity(loss, params))

    def params(self, state: Motion) -> Params:
        return state.position

    def vector_field(self, loss: Loss, t: Any, state: Motion) -> Motion:
        return Motion(state.velocity, self.acceleration(loss, t, state.position, state.velocity))

    @abstractmethod
    def initial_velocity(self, loss: Loss, params: Params) -> Params:
        """X'(0)."""

    @abstractmethod
    def acceleration(self, loss: Loss, t: Any, position: Params, velocity: Params) -> Params:
        """X''."""


def along_gradient(loss: Loss, params: Params, weight: Any) -> Params:
    """weight times grad L, in the dtype of the params."""
    return jax.tree.map(lambda g: (weight * g).astype(g.dtype), jax.grad(loss)(params))


def at_rest(params: Params) -> Params:
    """Velocity zero."""
    return jax.tree.map(jnp.zeros_like, params)
