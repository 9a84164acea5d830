"""Flows that are stochastic differential equations, stepped on Brownian increments that follow from (key, n)."""

from abc import abstractmethod
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import lineax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Int

from discrete import Cost, Status
from landscapes import Loss, Moment, init_carries, watch_all, watching

from ..flow import Claimed, FieldCost, Flow, Setting, Start, State
from .failure import ALIVE, DIVERGED
from .flow_side import FlowSide


class SDEFlow(Flow):
    """dX = drift(X) dt + diffusion(X) dW, in Ito's sense, by Euler and Maruyama's method.

    substeps: equal steps of the solver in one step of the method; their weak error is O(time_per_step / substeps).
    The increments of step n follow from the key of the run and from n: a run that is resumed, sampled otherwise or
    taken again sees the same path. What it claims is weak: of means of smooth functions, not of single paths.
    """

    substeps: ClassVar[int] = 1

    @property
    def claim(self) -> Claimed:
        return Claimed(self.order, "weak")

    @abstractmethod
    def drift(self, loss: Loss, t: Any, state: State) -> State:
        """What moves the mean, like the state."""

    @abstractmethod
    def diffusion(self, loss: Loss, t: Any, state: State) -> lineax.AbstractLinearOperator:
        """From the increments, as many as `in_size`, to the flattened state: an operator, never a full matrix."""

    @property
    @abstractmethod
    def field_cost(self) -> FieldCost:
        """Gradients and Hessian products of one drift and one diffusion."""

    def side(self, loss: Loss, start: Start, setting: Setting) -> "SDESide":
        return SDESide(self, loss, start, setting)


class SDECarry(NamedTuple):
    """Where the flow stands: at `step` steps of its method, where it failed for the reason `failure`."""

    state: Any
    step: Int[Array, ""]
    time: Array
    failure: Int[Array, ""]
    instruments: dict[str, Any]


class SDESide(FlowSide):
    """An `SDEFlow` over `every` steps of its method between two samples."""

    flow: SDEFlow
    loss: Loss
    begins: Start
    setting: Setting

    def start(self) -> SDECarry:
        state, zero = self.flow.init(self.loss, self.begins), jnp.asarray(0)
        carry = SDECarry(state, zero, self.time(zero), jnp.asarray(ALIVE), {})
        return carry._replace(instruments=init_carries(self.setting.observe, self.moment(carry)))

    def advance(self, carry: SDECarry) -> SDECarry:
        end, watched = carry.step + self.setting.every, bool(watching(self.setting.observe))

        def going(now: SDECarry) -> Array:
            return (now.step < end) & (now.failure == ALIVE)

        def one(now: SDECarry) -> SDECarry:
            instruments = now.instruments
            if watched:
                seen, between = watch_all(self.setting.observe, self.moment(now), instruments), now.step > carry.step
                instruments = jax.tree.map(lambda new, old: jnp.where(between, new, old), seen, instruments)
            moved = self._moved(now)
            inside = self.within(moved)
            kept = jax.tree.map(lambda new, old: jnp.where(inside, new, old), moved, now.state)
            return SDECarry(kept, now.step + inside, now.time, jnp.where(inside, ALIVE, DIVERGED), instruments)

        found = jax.lax.while_loop(going, one, carry)
        return found._replace(time=self.time(found.step))

    def moment(self, carry: SDECarry) -> Moment:
        return Moment(
            self.flow.params(carry.state),
            loss=self.loss,
            step=carry.step,
            time=self.time(carry.step),
            time_per_step=self.flow.time_per_step,
            state=carry.state,
            continuous=True,
            following=lambda: self.flow.params(self._moved(carry)),
            preconditioner=lambda: self.flow.preconditioner(self.loss, carry.state),
        )

    def status(self, carry: SDECarry) -> Status:
        return Status("diverged", int(carry.step) + 1)

    def cost(self, carry: SDECarry) -> Cost:
        """One drift and one diffusion for each substep."""
        substeps, field = int(carry.step) * self.flow.substeps, self.flow.field_cost
        return Cost(substeps * field.gradients, substeps * field.hessian_products, solver_steps=substeps)

    def _moved(self, carry: SDECarry) -> Any:
        """The state after step n of the method."""
        length = self.flow.time_per_step / self.flow.substeps
        key = jax.random.fold_in(self.begins.key, carry.step)

        def substep(i: Array, state: Any) -> Any:
            time = self.time(carry.step) + i * length
            flat, unravel = ravel_pytree(state)
            operator = self.flow.diffusion(self.loss, time, state)
            increments = jax.random.normal(jax.random.fold_in(key, i), (operator.in_size(),), flat.dtype)
            kicked = jnp.sqrt(jnp.asarray(length, flat.dtype)) * operator.mv(increments)
            drifted = length * ravel_pytree(self.flow.drift(self.loss, time, state))[0]
            return unravel((flat + drifted + kicked).astype(flat.dtype))

        return jax.lax.fori_loop(0, self.flow.substeps, substep, carry.state)
