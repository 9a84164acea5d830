"""What flows that move from one step of their method to the next have in common, whether chance moves them or not."""

from abc import abstractmethod
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from discrete.running.measuring import Instruments, first_instruments
from landscapes import Moment

from .failure import ALIVE, DIVERGED
from .flow_side import FlowSide


class StepwiseCarry(NamedTuple):
    """Where the flow stands: at `step` steps of its method, where it failed for the reason `failure`."""

    state: Any
    step: Int[Array, ""]
    time: Array
    failure: Int[Array, ""]
    instruments: Instruments


class StepwiseSide(FlowSide):
    """Such a flow over `every` steps of its method between two samples."""

    @abstractmethod
    def moved(self, carry: StepwiseCarry) -> tuple[Any, Int[Array, ""]]:
        """The state one step of the method later, and the code of a failure of the flow's own, ALIVE for none."""

    def seen(self, state: Any) -> Any:
        """The state as instruments see it."""
        return state

    def begin(self) -> StepwiseCarry:
        state, zero = self.flow.init(self.loss, self.begins), jnp.asarray(0)
        carry = StepwiseCarry(state, zero, self.time(zero), jnp.asarray(ALIVE), Instruments({}, zero, zero))
        return carry._replace(instruments=first_instruments(self.setting.observe, self.moment(carry)))

    def advance(self, carry: StepwiseCarry) -> StepwiseCarry:
        end = carry.step + self.setting.every

        def going(now: StepwiseCarry) -> Array:
            return (now.step < end) & (now.failure == ALIVE)

        def one(now: StepwiseCarry) -> StepwiseCarry:
            instruments = self.shown(now, since=carry.step)
            moved, own = self.moved(now)
            inside = self.within(moved)
            failure = jnp.where(own != ALIVE, own, jnp.where(inside, ALIVE, DIVERGED))
            # As elsewhere, what is left is the last usable state.
            kept = jax.tree.map(lambda new, old: jnp.where(inside, new, old), moved, now.state)
            return StepwiseCarry(kept, now.step + (failure == ALIVE), now.time, failure, instruments)

        found = jax.lax.while_loop(going, one, carry)
        return found._replace(time=self.time(found.step))

    @abstractmethod
    def work(self, carry: StepwiseCarry) -> tuple[Any, Any]:
        """Gradients and Hessian products that it has taken to come here."""

    def moment(self, carry: StepwiseCarry) -> Moment:
        state = self.seen(carry.state)
        ahead = cache(lambda: self.moved(carry)[0])

        def price(asked: frozenset[str]) -> tuple[Any, Any]:
            if "following" not in asked:
                return 0, 0
            before, after = self.work(carry), self.work(carry._replace(state=ahead(), step=carry.step + 1))
            return after[0] - before[0], after[1] - before[1]

        return Moment(
            self.flow.params(state),
            loss=self.loss,
            step=carry.step,
            time=self.time(carry.step),
            time_per_step=self.flow.time_per_step,
            state=state,
            continuous=True,
            following=lambda: self.flow.params(self.seen(ahead())),
            preconditioner=lambda: self.flow.preconditioner(self.loss, state),
            price=price,
        )
