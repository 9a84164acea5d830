"""Flows that are stochastic differential equations, stepped on Brownian increments that follow from (key, n)."""

from abc import abstractmethod
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import lineax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Int

from discrete import Cost, Status
from landscapes import Loss

from ..flow import Claimed, FieldCost, Flow, Setting, Start, State
from .failure import ALIVE
from .stepwise import StepwiseCarry, StepwiseSide


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


class SDESide(StepwiseSide):
    """A stochastic flow as a side of a run."""

    flow: SDEFlow
    loss: Loss
    begins: Start
    setting: Setting

    def status(self, carry: StepwiseCarry) -> Status:
        return Status("diverged", int(carry.step) + 1)

    def work(self, carry: StepwiseCarry) -> tuple[Any, Any]:
        """One drift and one diffusion for each substep."""
        substeps, field = carry.step * self.flow.substeps, self.flow.field_cost
        return substeps * field.gradients, substeps * field.hessian_products

    def cost(self, carry: StepwiseCarry) -> Cost:
        return Cost(*map(int, self.work(carry)), solver_steps=int(carry.step) * self.flow.substeps)

    def moved(self, carry: StepwiseCarry) -> tuple[Any, Int[Array, ""]]:
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

        return jax.lax.fori_loop(0, self.flow.substeps, substep, carry.state), jnp.asarray(ALIVE)
