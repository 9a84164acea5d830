"""What every kind of flow has in common as one side of a run: its clock, its limits, how it is measured."""

from abc import abstractmethod
from typing import Any, Protocol

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int

from discrete import Cost, Status
from discrete.running.divergence_radius import is_within
from discrete.running.march import Carry, Measured, Side
from discrete.running.measuring import Instruments, measured_at, watched
from landscapes import Loss, Moment, Params

from ..flow import Flow, Setting, Start
from .failure import ALIVE


class FlowCarry(Protocol):
    """Where a flow stands: at `step` steps of its method, or at `time`, where it failed for the reason `failure`."""

    state: Any
    step: Int[Array, ""]
    time: Array
    failure: Int[Array, ""]
    instruments: Instruments

    def _replace(self, **changes: Any) -> Any: ...


class FlowSide(Side):
    """A flow over `every` steps of its method between two samples."""

    flow: eqx.AbstractVar[Flow]
    loss: eqx.AbstractVar[Loss]
    begins: eqx.AbstractVar[Start]
    setting: eqx.AbstractVar[Setting]

    @property
    def origin(self) -> Params:
        """Where the method starts."""
        return self.begins.params

    def alive(self, carry: Carry) -> Bool[Array, ""]:
        return carry.failure == ALIVE

    def measure(self, carry: Carry, reference: Any) -> tuple[Measured, Carry]:
        del reference
        measured, instruments = measured_at(self.setting.observe, self.moment(carry), carry.instruments)
        if predicted := self.flow.predictions(self.loss, carry.state):
            measured["predictions"] = predicted
        if self.setting.keep_params:
            measured["params"] = self.flow.params(carry.state)
        return measured, carry._replace(instruments=instruments)

    @abstractmethod
    def moment(self, carry: Carry) -> Moment:
        """What instruments may look at where the flow stands."""

    @abstractmethod
    def status(self, carry: Carry) -> Status:
        """Why the flow failed, once it has."""

    @abstractmethod
    def cost(self, carry: Carry) -> Cost:
        """What the flow itself has spent to come here."""

    def shown(self, carry: Carry, *, since: Array) -> Instruments:
        """The instruments once those that watch were shown this step, if it is after the sample."""
        return watched(self.setting.observe, lambda: self.moment(carry), carry.instruments, carry.step > since)

    def within(self, state: Any) -> Bool[Array, ""]:
        """Whether a state is finite and no farther from the start than a run may be."""
        return is_within(self.flow.params(state), self.origin, self.setting.radius)

    def time(self, step: Array) -> Array:
        """The flow's time after so many steps of its method."""
        dtype = jnp.result_type(*jax.tree.leaves(self.origin))
        return jnp.asarray(step * self.flow.time_per_step, dtype)
