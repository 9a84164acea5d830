"""Flows that move on by themselves: no plain ODE, but a step from one step of the method to the next."""

from abc import abstractmethod
from typing import Any, ClassVar, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Int

from discrete import Cost, Status
from landscapes import Loss

from ..flow import Flow, Setting, Start, State
from .failure import ALIVE, DIVERGED
from .stepwise import StepwiseCarry, StepwiseSide

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


class SteppedSide(StepwiseSide):
    """A stepped flow as a side of a run."""

    flow: SteppedFlow
    loss: Loss
    begins: Start
    setting: Setting

    def seen(self, state: Any) -> Any:
        return self.flow.seen(state)

    def moved(self, carry: StepwiseCarry) -> tuple[Any, Int[Array, ""]]:
        state, failed = self.flow.step(self.loss, carry.state, self.begins.key, carry.step)
        return state, jnp.where(failed > 0, OWN_FAILURES + failed, ALIVE)

    def status(self, carry: StepwiseCarry) -> Status:
        step = int(carry.step)
        if int(carry.failure) == DIVERGED:
            return Status("diverged", step + 1)
        words = self.flow.reason(carry.state, int(carry.failure) - OWN_FAILURES)
        return Status("stopped", step, f"{words} at step {step}")

    def work(self, carry: StepwiseCarry) -> tuple[Any, Any]:
        """What the flow counted itself."""
        spent = self.flow.spent(carry.state)
        return spent.gradients, spent.hessian_products

    def cost(self, carry: StepwiseCarry) -> Cost:
        return Cost(*map(int, self.work(carry)))
