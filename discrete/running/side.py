"""A method as one side of a run: it steps, it is watched for divergence, it is measured."""

from functools import partial
from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int

from landscapes import Loss, Moment, Observables, Params, watching

from ..method import Method
from ..schedule import Schedule, is_schedule
from .divergence_radius import is_within
from .march import Carry, Measured, Side
from .measuring import Instruments, first_instruments, measured_at, watched
from .step import Oracle, take_step

ALIVE = -1


class DescentCarry(NamedTuple):
    """Where a method stands: after `step` steps, or before the step `diverged_at` at which it blew up."""

    params: Params
    state: Any
    step: Int[Array, ""]
    diverged_at: Int[Array, ""]
    instruments: Instruments


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
    key: Any
    keep_params: bool = eqx.field(static=True, default=False)

    def begin(self) -> DescentCarry:
        step = jnp.asarray(0)
        instruments = first_instruments(self.observe, self._moment(step, self.origin, self.state))
        return DescentCarry(self.origin, self.state, step, jnp.asarray(ALIVE), instruments)

    def alive(self, carry: DescentCarry) -> Bool[Array, ""]:
        return carry.diverged_at == ALIVE

    def advance(self, carry: DescentCarry) -> DescentCarry:
        def one(i: Array, now: tuple) -> tuple:
            params, state, *instruments = now
            moment = partial(self._moment, carry.step + i, params, state)
            seen = [watched(self.observe, moment, before, i > 0) for before in instruments]
            return *take_step(self.method, self._oracle(carry.step + i), params, state), *seen

        # What nobody watches stays out of the loop.
        carried = (carry.instruments,) if watching(self.observe) else ()
        params, state, *seen = jax.lax.fori_loop(0, self.every, one, (carry.params, carry.state, *carried))
        wrong = jnp.where(self._within(params), ALIVE, carry.step + 1)
        return DescentCarry(params, state, carry.step + self.every, wrong, *(seen or [carry.instruments]))

    def measure(self, carry: DescentCarry, reference: None) -> tuple[Measured, Carry]:
        del reference
        moment = self._moment(carry.step, carry.params, carry.state)
        measured, instruments = measured_at(self.observe, moment, carry.instruments)
        if self.keep_params:
            measured["params"] = carry.params
        return measured, carry._replace(instruments=instruments)

    def _moment(self, n: Array, params: Params, state: Any) -> Moment:
        oracle, rate = self._oracle(n), self.method.at(n).learning_rate if self.method.has_clock else None
        after: list = []

        def stepped() -> tuple[Params, Any]:
            if not after:
                after.append(take_step(self.method, oracle, params, state))
            return after[0]

        return Moment(
            params,
            loss=self.loss,
            step=n,
            time=None if rate is None or is_schedule(self.method.learning_rate) else n * rate,
            time_per_step=rate(n) if isinstance(rate, Schedule) else rate,
            state=state,
            oracle=oracle,
            following=lambda: stepped()[0],
            # That of the step to come: it moves these params, and at rest there is no other.
            preconditioner=lambda: self.method.at(n).preconditioner(*stepped()),
            # Both come from one step.
            price=lambda asked: (self.method.gradients_per_step if asked else 0, 0),
        )

    def _oracle(self, n: Array) -> Oracle:
        return Oracle(self.loss, n, self.key, self.method.sampling)

    def _within(self, params: Params) -> Bool[Array, ""]:
        return is_within(params, self.origin, self.radius)

    def replay(self, carry: DescentCarry) -> DescentCarry:
        # Compiled apart, the replay may round otherwise; it must end with the sample even if it were to stay within.
        end = carry.step + self.every

        def going(now):
            return self._within(now[1].params) & (now[1].step < end)

        def one(now):
            last = now[1]
            params, state = take_step(self.method, self._oracle(last.step), last.params, last.state)
            return last, last._replace(params=params, state=state, step=last.step + 1)

        last, wrong = jax.lax.while_loop(going, one, (carry, carry))
        return last._replace(diverged_at=wrong.step)
