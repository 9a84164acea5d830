"""Flows that move on by themselves: no plain ODE, but a step from one step of the method to the next."""

from abc import abstractmethod
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from discrete import Cost, Status
from landscapes import Loss, Moment, init_carries, watch_all, watching

from ..flow import Flow, Setting, Start, State
from .failure import ALIVE, DIVERGED
from .flow_side import FlowSide

OWN_FAILURES = 100


class Work(NamedTuple):
    """What a flow has spent so far; a third derivative T[u, v] counts as two Hessian products."""

    gradients: Int[Array, ""]
    hessian_products: Int[Array, ""]

    @classmethod
    def none(cls) -> "Work":
        """Nothing spent yet."""
        return cls(jnp.asarray(0, int), jnp.asarray(0, int))

    def plus(self, gradients: Any = 0, hessian_products: Any = 0) -> "Work":
        """With more spent."""
        return Work(
            self.gradients + jnp.asarray(gradients, int), self.hessian_products + jnp.asarray(hessian_products, int)
        )


class SteppedFlow(Flow):
    """A flow with eigenvectors, constraints or stages of its own; `step` takes it on by one step of its method.

    failures: what the codes 1, 2, ... that `step` may return mean, as they stand in the status of a run.
    """

    failures: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def step(self, loss: Loss, state: State, key: Any, n: Any) -> tuple[State, Int[Array, ""]]:
        """The state after step n of the method, and 0; or where it failed, and the number of the failure."""

    @abstractmethod
    def spent(self, state: State) -> Work:
        """What it has cost to come to the state."""

    def seen(self, state: State) -> State:
        """The state as instruments see it, which are made for real params; the state itself unless a flow says so."""
        return state

    def reason(self, state: State, failure: int) -> str:
        """Why it failed, in words; a flow that knows more than the number may say it."""
        del state
        return self.failures[failure - 1]

    def side(self, loss: Loss, start: Start, setting: Setting) -> "SteppedSide":
        return SteppedSide(self, loss, start, setting)


class SteppedCarry(NamedTuple):
    """Where the flow stands: at `step` steps of its method, where it failed for the reason `failure`."""

    state: Any
    step: Int[Array, ""]
    time: Array
    failure: Int[Array, ""]
    instruments: dict[str, Any]


class SteppedSide(FlowSide):
    """A stepped flow over `every` steps of its method between two samples."""

    flow: SteppedFlow
    loss: Loss
    begins: Start
    setting: Setting

    def start(self) -> SteppedCarry:
        state, zero = self.flow.init(self.loss, self.begins), jnp.asarray(0)
        carry = SteppedCarry(state, zero, self.time(zero), jnp.asarray(ALIVE), {})
        return carry._replace(instruments=init_carries(self.setting.observe, self.moment(carry)))

    def advance(self, carry: SteppedCarry) -> SteppedCarry:
        end, watched = carry.step + self.setting.every, bool(watching(self.setting.observe))

        def going(now: SteppedCarry) -> Array:
            return (now.step < end) & (now.failure == ALIVE)

        def one(now: SteppedCarry) -> SteppedCarry:
            instruments = now.instruments
            if watched:
                seen, between = watch_all(self.setting.observe, self.moment(now), instruments), now.step > carry.step
                instruments = jax.tree.map(lambda new, old: jnp.where(between, new, old), seen, instruments)
            moved, failed = self._moved(now)
            inside = self.within(moved)
            failure = jnp.where(failed > 0, OWN_FAILURES + failed, jnp.where(inside, ALIVE, DIVERGED))
            # As elsewhere, what is left is the last usable state.
            kept = jax.tree.map(lambda new, old: jnp.where(inside, new, old), moved, now.state)
            return SteppedCarry(kept, now.step + (failure == ALIVE), now.time, failure, instruments)

        found = jax.lax.while_loop(going, one, carry)
        return found._replace(time=self.time(found.step))

    def moment(self, carry: SteppedCarry) -> Moment:
        state = self.flow.seen(carry.state)
        return Moment(
            self.flow.params(state),
            loss=self.loss,
            step=carry.step,
            time=self.time(carry.step),
            time_per_step=self.flow.time_per_step,
            state=state,
            continuous=True,
            following=lambda: self.flow.params(self.flow.seen(self._moved(carry)[0])),
            preconditioner=lambda: self.flow.preconditioner(self.loss, state),
        )

    def status(self, carry: SteppedCarry) -> Status:
        step = int(carry.step)
        if int(carry.failure) == DIVERGED:
            return Status("diverged", step + 1)
        words = self.flow.reason(carry.state, int(carry.failure) - OWN_FAILURES)
        return Status("stopped", step, f"{words} at step {step}")

    def cost(self, carry: SteppedCarry) -> Cost:
        """What the flow counted itself."""
        spent = self.flow.spent(carry.state)
        return Cost(int(spent.gradients), int(spent.hessian_products))

    def _moved(self, carry: SteppedCarry) -> tuple[Any, Int[Array, ""]]:
        return self.flow.step(self.loss, carry.state, self.begins.key, carry.step)
