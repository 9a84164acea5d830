"""Flows that move on by themselves: no plain ODE, but a step from one step of the method to the next."""

from abc import abstractmethod
from typing import Any, ClassVar, NamedTuple, NoReturn

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from discrete.running.march import Measured
from landscapes import Loss, init_carries

from ..flow import FieldCost, Flow, State
from .ode import ALIVE, DIVERGED, FlowCarry, FlowSide

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
    def step(self, loss: Loss, state: State) -> tuple[State, Int[Array, ""]]:
        """The state one step of the method later, and 0; or where it failed, and the number of the failure."""

    @abstractmethod
    def spent(self, state: State) -> Work:
        """What it has cost to come to the state."""

    def observed(self, state: State) -> State:
        """The state as instruments see it, which are made for real params; the state itself unless a flow says so."""
        return state

    def reason(self, state: State, failure: int) -> str:
        """Why it failed, in words; a flow that knows more than the number may say it."""
        del state
        return self.failures[failure - 1]

    @property
    def field_cost(self) -> FieldCost:
        return FieldCost(gradients=0)

    def vector_field(self, loss: Loss, t: Any, state: State) -> NoReturn:
        raise ValueError(f"{type(self).__name__} has no vector field: it moves by steps, so energies cannot see it.")


class SteppedSide(FlowSide):
    """A stepped flow over `every` steps of its method between two samples."""

    def start(self) -> FlowCarry:
        state = self.flow.init(self.loss, self.origin)
        begin = self._time(jnp.asarray(0))
        instruments = init_carries(self.observe, self.flow.params(self._flow.observed(state)))
        zero = jnp.asarray(0)
        return FlowCarry(state, zero, begin, jnp.asarray(ALIVE), None, None, begin, zero, instruments)

    def advance(self, carry: FlowCarry) -> FlowCarry:
        flow, end = self._flow, carry.step + self.every

        def going(now: tuple) -> Array:
            step, _, failure = now
            return (step < end) & (failure == ALIVE)

        def one(now: tuple) -> tuple:
            step, state, _ = now
            moved, failed = flow.step(self.loss, state)
            inside = self._within(moved)
            failure = jnp.where(failed > 0, OWN_FAILURES + failed, jnp.where(inside, ALIVE, DIVERGED))
            # As elsewhere, what is left is the last usable state.
            kept = jax.tree.map(lambda new, old: jnp.where(inside, new, old), moved, state)
            return step + (failure == ALIVE), kept, failure

        step, state, failure = jax.lax.while_loop(going, one, (carry.step, carry.state, jnp.asarray(ALIVE)))
        return carry._replace(state=state, step=step, time=self._time(step), failure=failure)

    def measure(self, carry: FlowCarry, reference: Any) -> tuple[Measured, FlowCarry]:
        seen = carry._replace(state=self._flow.observed(carry.state))
        measured, after = super().measure(seen, reference)
        if self.keep_params:
            measured["params"] = self.flow.params(carry.state)
        return measured, after._replace(state=carry.state)

    @property
    def _flow(self) -> SteppedFlow:
        assert isinstance(self.flow, SteppedFlow)
        return self.flow


def stopped(flow: SteppedFlow, carry: FlowCarry) -> str:
    """The status of a stepped flow that failed."""
    step = int(carry.step)
    if int(carry.failure) == DIVERGED:
        return f"diverged at step {step + 1}"
    return f"stopped: {flow.reason(carry.state, int(carry.failure) - OWN_FAILURES)} at step {step}"
