"""Lyapunov functions: energies that the theory says cannot increase, and what they say about the loss."""

from abc import abstractmethod
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from landscapes import Loss, MotionObservable, Params


class Energy(MotionObservable):
    """E = weight(t) (L(X) - L(x*)) + squares(t, X, X'), squares >= 0, which never increases along the flow.

    So L(X(t)) - L(x*) <= E(0) / weight(t): the rate of the flow. Along the method it is its own discrete energy where
    the paper has one, and else the same expression at the middle of a step, with the displacement over the time.
    minimizer: x*, shaped like the params.  time_per_step: of the method, in the flow's clock.
    """

    loss: Loss
    minimizer: Params
    time_per_step: Any = eqx.field(converter=jnp.asarray)

    @abstractmethod
    def weight(self, time: Any) -> Any:
        """What multiplies the gap of the loss."""

    @abstractmethod
    def squares(self, time: Any, params: Params, velocity: Params) -> Any:
        """What is added to it; at least 0."""

    def gap(self, params: Params) -> Float[Array, ""]:
        """L - L(x*)."""
        return self.loss(params) - self.loss(self.minimizer)

    def bound(self, energy_at_start: Any, time: Any) -> Any:
        """What L - L(x*) is at most at that time."""
        return energy_at_start / self.weight(time)

    def of_flow(self, time: Any, params: Params, velocity: Params) -> Float[Array, ""]:
        return self.weight(time) * self.gap(params) + self.squares(time, params, velocity)

    def of_method(self, step: Any, params: Params, following: Params) -> Float[Array, ""]:
        middle = jax.tree.map(lambda x, y: (x + y) / 2, params, following)
        return self.of_flow((step + 0.5) * self.time_per_step, middle, velocity(params, following, self.time_per_step))

    def from_minimizer(self, params: Params) -> Params:
        """x - x*."""
        return optax.tree.sub(params, self.minimizer)


class MechanicalEnergy(MotionObservable):
    """E = L(X) + (inertia/2) |X'|^2, which friction takes from any loss, convex or not.

    Along the method L(x_{n+1}) + (inertia/2) |x_{n+1} - x_n|^2 / d^2, d the time of a step. Heavy ball's falls where
    b/2 <= w <= 1 - b/2 - h S/2 with w = inertia h/(2 d^2), on any loss of sharpness at most S: `Polyak` h S <= 1 - b,
    `KovachkiStuart` h S <= 3 (1 - b)/2 (from <grad L, v_+> = (b <v, v_+> - |v_+|^2)/h; derived here).
    """

    loss: Loss
    inertia: Any = eqx.field(converter=jnp.asarray)
    time_per_step: Any = eqx.field(converter=jnp.asarray)

    def weight(self, time: Any) -> Any:
        """1, whatever the time: what multiplies the loss."""
        return jnp.ones_like(time)

    def of_flow(self, time: Any, params: Params, velocity: Params) -> Float[Array, ""]:
        del time
        return self.loss(params) + self.inertia / 2 * squared(velocity)

    def of_method(self, step: Any, params: Params, following: Params) -> Float[Array, ""]:
        return self.of_flow(step, following, velocity(params, following, self.time_per_step))


def velocity(params: Params, following: Params, time_per_step: Any) -> Params:
    """The displacement of a step over its time."""
    return jax.tree.map(lambda x, y: (y - x) / time_per_step, params, following)


def squared(vector: Params) -> Float[Array, ""]:
    """|v|^2."""
    return jnp.asarray(optax.tree.norm(vector, squared=True))


def combined(*terms: tuple[Any, Params]) -> Params:
    """The sum of weight times vector."""
    weights, vectors = zip(*terms, strict=True)
    return jax.tree.map(lambda *leaves: sum(w * leaf for w, leaf in zip(weights, leaves, strict=True)), *vectors)
