"""RMSProp, with one preconditioner for all parameters or one for each."""

import math
from abc import abstractmethod
from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array

from landscapes import Params

from ..method import Gradient, Method, check_fraction, check_learning_rate, check_not_negative
from ..registered import named
from ..schedule import is_schedule
from ..settings import Beta2, BiasCorrection, Epsilon
from ..traits import Alternation, Filter, Filters, Memory, Threshold


class SecondMoment(NamedTuple):
    """nu, the average of squared gradients; decay, b^n after n of them (1 at rest), None without bias correction."""

    nu: Any
    decay: Array | None


class SecondMomentMethod(Method):
    """What both share: x <- x - h P^-1 grad L(x) with P = sqrt(nu^) + e, after nu has averaged the gradient at x.

    h has the units of the params. Stable on a quadratic, at fixed P, while the effective sharpness, the top eigenvalue
    of P^-1/2 H P^-1/2, is below 2/h. The first step from rest, nu = 0, is -h sign(grad L), or has the length h where nu
    is one number: with bias correction. Without it is 1/sqrt(1 - b) as long. Parameters whose gradient has been zero
    throughout stay where they are, for e = 0 too.
    """

    learning_rate: eqx.AbstractVar[Any]
    beta2: eqx.AbstractVar[Any]
    epsilon: eqx.AbstractVar[Any]
    bias_correction: eqx.AbstractVar[bool]
    has_preconditioner: ClassVar[bool] = True
    schedulable: ClassVar[tuple[str, ...]] = ("learning_rate", "beta2", "epsilon")

    def __check_init__(self):
        check_learning_rate(self.learning_rate)
        check_fraction("beta2", self.beta2)
        check_not_negative("epsilon", self.epsilon)
        if not isinstance(self.bias_correction, bool):
            raise ValueError(f"`bias_correction` must be True or False, got {self.bias_correction!r}.")

    @abstractmethod
    def squared(self, slope: Params) -> Any:
        """What nu averages."""

    def init(self, params: Params) -> SecondMoment:
        return self._state(jax.tree.map(jnp.zeros_like, self.squared(params)), 1.0)

    def state_at(self, gradient: Gradient, params: Params) -> SecondMoment:
        """The state of a run that has long been at params, nu the squared gradient there: a `state` to start from."""
        return self._state(self.squared(gradient(params)), 0.0)

    def step(self, gradient: Gradient, params: Params, state: SecondMoment) -> tuple[Params, SecondMoment]:
        slope = gradient(params)
        nu = jax.tree.map(lambda nu, s: self.beta2 * nu + (1 - self.beta2) * s, state.nu, self.squared(slope))
        after = SecondMoment(nu, None if state.decay is None else self.beta2 * state.decay)
        scale = jax.tree.broadcast(self.preconditioner(params, after), params)
        moved = jax.tree.map(lambda x, g, p: x - self.learning_rate * _quotient(g, p), params, slope, scale)
        return moved, after

    def preconditioner(self, params: Params, state: SecondMoment) -> Any:
        """sqrt(nu^) + e of the state after its last step; e at rest."""
        del params
        weight = 1.0 if state.decay is None else jnp.where(state.decay < 1, 1 - state.decay, 1)
        return jax.tree.map(lambda nu: _root(nu / weight) + self.epsilon, state.nu)

    def filters(self) -> Filters | None:
        """x <- x - h g/(sqrt(nu) + e), nu the average of `squared`(g): with bias correction once b^n is negligible."""
        if not self.is_constant:
            return None

        def update(params: Params, seen: tuple[Any, ...]) -> Params:
            slope, nu = seen
            scale = jax.tree.broadcast(self.preconditioner(params, SecondMoment(nu, None)), params)
            return jax.tree.map(_quotient, slope, scale)

        return Filters((Filter(0.0, 1.0), Filter(self.beta2, 1 - self.beta2, self.squared)), update)

    def memory(self) -> Memory:
        return Memory(self.beta2, self._drift, self._push, self.preconditioner)

    def alternation(self) -> Alternation:
        return Alternation(2.0, 1.0, 1.0)

    def threshold(self) -> Threshold | None:
        """2/h of the effective sharpness; that of H itself moves with nu."""
        if is_schedule(self.learning_rate):
            return None
        return Threshold(2 / self.learning_rate, math.pi, preconditioned=True)

    def _drift(self, memory: SecondMoment, slope: Params) -> SecondMoment:
        """nu' = (1 - b)/b (s(g) - nu),  decay' = -(1 - b)/b decay: nu/(1 - decay) is s(g) where that is constant."""
        rate = self.memory().rate
        nu = jax.tree.map(lambda square, nu: rate * (square - nu), self.squared(slope), memory.nu)
        return SecondMoment(nu, None if memory.decay is None else -rate * memory.decay)

    def _push(self, memory: SecondMoment, a: Params, b: Params) -> SecondMoment:
        rate = self.memory().rate

        def squared(sign: float) -> Any:
            return self.squared(jax.tree.map(lambda x, y: x + sign * y, a, b))

        nu = jax.tree.map(lambda plus, minus: rate * (plus - minus) / 4, squared(1.0), squared(-1.0))
        return jax.tree.map(jnp.zeros_like, memory)._replace(nu=nu)

    def _state(self, nu: Any, decay: float) -> SecondMoment:
        kind = jnp.result_type(*jax.tree.leaves(nu))
        return SecondMoment(nu, jnp.asarray(decay, kind) if self.bias_correction else None)


@named("scalar-rmsprop")
class ScalarRMSProp(SecondMomentMethod):
    """nu <- b nu + (1 - b) |grad L(x)|^2;  x <- x - h grad L(x) / (sqrt(nu^) + e)      (h = learning_rate, b = beta2,
    e = epsilon; nu^ = nu / (1 - b^n) after n averages with bias correction, else nu)

    One number nu for all parameters: gradient descent whose learning rate h / sqrt(nu^) adapts (Cohen, Damian,
    Talwalkar, Kolter and Lee 2025, whose equations have e = 0 and no bias correction).
    """

    learning_rate: Any
    beta2: Beta2 = 0.99
    epsilon: Epsilon = 0.0
    bias_correction: BiasCorrection = eqx.field(static=True, default=False)

    def squared(self, slope: Params) -> Array:
        """|grad L|^2 over all parameters."""
        return optax.tree.norm(slope, squared=True)


@named("rmsprop")
class RMSProp(SecondMomentMethod):
    """nu <- b nu + (1 - b) grad L(x)^2;  x <- x - h grad L(x) / (sqrt(nu^) + e), parameter by parameter      (h =
    learning_rate, b = beta2, e = epsilon; nu^ = nu / (1 - b^n) after n averages with bias correction, else nu)

    Tieleman and Hinton 2012; Cohen, Damian et al. 2025 for its stability. e is outside the root, as in
    torch.optim.RMSprop; optax.rmsprop and optax.scale_by_rms put it inside unless eps_in_sqrt=False. With bias
    correction it is Adam (Kingma and Ba 2015) with beta1 = 0.
    """

    learning_rate: Any
    beta2: Beta2 = 0.99
    epsilon: Epsilon = 0.0
    bias_correction: BiasCorrection = eqx.field(static=True, default=False)

    def squared(self, slope: Params) -> Params:
        """grad L^2, entry by entry."""
        return jax.tree.map(jnp.square, slope)


def _root(nu: Array) -> Array:
    """sqrt(nu), at 0 with the derivative 0: flows differentiate the step where a gradient is zero throughout."""
    return jnp.where(nu == 0, 0, jnp.sqrt(jnp.where(nu == 0, 1, nu)))


def _quotient(slope: Array, scale: Array) -> Array:
    """slope / scale, and 0 where the scale vanishes, as the slope then does."""
    return jnp.where(scale == 0, 0, slope / jnp.where(scale == 0, 1, scale))
