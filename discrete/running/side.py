"""A method as one side of a run: it steps, it is watched for divergence, it is measured."""

from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Int

from landscapes import Loss, Observables, Params, has_motion, has_preconditioned, init_carries, measure_all

from ..method import Method
from .march import Carry, Measured, Side

ALIVE = -1


class DescentCarry(NamedTuple):
    """Where a method stands: after `step` steps, or before the step `diverged_at` at which it blew up."""

    params: Params
    state: Any
    step: Int[Array, ""]
    diverged_at: Int[Array, ""]
    instruments: dict[str, Any]


class DescentSide(Side):
    """`every` steps of a method between two samples.

    It has diverged if a sample is not finite or lies farther than `radius` from the start, and then at the first step
    that led there; an excursion that ends before the next sample goes unnoticed.
    """

    replays: ClassVar[bool] = True
    method: Method
    loss: Loss
    origin: Params
    state: Any
    observe: Observables
    every: Int[Array, ""]
    radius: Any
    keep_params: bool = eqx.field(static=True, default=False)

    def start(self) -> DescentCarry:
        instruments = init_carries(self.observe, self.origin)
        return DescentCarry(self.origin, self.state, jnp.asarray(0), jnp.asarray(ALIVE), instruments)

    def alive(self, carry: DescentCarry) -> Bool[Array, ""]:
        return carry.diverged_at == ALIVE

    def advance(self, carry: DescentCarry) -> DescentCarry:
        params, state = jax.lax.fori_loop(
            0, self.every, lambda i, now: self._step(carry.step + i, *now), (carry.params, carry.state)
        )
        wrong = jnp.where(self._within(params), ALIVE, carry.step + 1)
        return carry._replace(params=params, state=state, step=carry.step + self.every, diverged_at=wrong)

    def measure(self, carry: DescentCarry, reference: None) -> tuple[Measured, Carry]:
        del reference
        preconditioned = has_preconditioned(self.observe)
        following = preconditioner = None
        if has_motion(self.observe) or preconditioned:
            following, after = self._step(carry.step, carry.params, carry.state)
            # That of the step to come: it moves these params, and at rest there is no other.
            preconditioner = self.method.at(carry.step).preconditioner(following, after) if preconditioned else None
        observations, instruments = measure_all(
            self.observe,
            carry.params,
            carry.instruments,
            lambda observable: observable.of_method(carry.step, carry.params, following),
            preconditioner,
        )
        measured = {"observations": observations}
        if self.keep_params:
            measured["params"] = carry.params
        return measured, carry._replace(instruments=instruments)

    def _step(self, n: Array, params: Params, state: Any) -> tuple[Params, Any]:
        # Schedules and optax may promote; what went in as float32 comes out as float32.
        return jax.tree.map(_typed_like, self.method.at(n).step(jax.grad(self.loss), params, state), (params, state))

    def _within(self, params: Params) -> Bool[Array, ""]:
        distance = optax.tree.norm(optax.tree.sub(params, self.origin))
        return jnp.isfinite(distance) & (distance <= self.radius)

    def replay(self, carry: DescentCarry) -> DescentCarry:
        # Compiled apart, the replay may round otherwise; it must end with the sample even if it were to stay within.
        end = carry.step + self.every

        def going(now):
            return self._within(now[1].params) & (now[1].step < end)

        def one(now):
            last = now[1]
            params, state = self._step(last.step, last.params, last.state)
            return last, last._replace(params=params, state=state, step=last.step + 1)

        last, wrong = jax.lax.while_loop(going, one, (carry, carry))
        return last._replace(diverged_at=wrong.step)


def _typed_like(new: Any, old: Array) -> Any:
    return new if getattr(new, "dtype", None) == old.dtype else jnp.asarray(new, old.dtype)
