"""Flows that are ordinary differential equations, integrated from sample to sample."""

from abc import abstractmethod
from functools import cache, partial
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from discrete import Cost, Status
from discrete.running.measuring import Instruments, first_instruments
from landscapes import Loss, Moment, watching

from ..flow import FieldCost, Flow, Setting, Start, State
from . import diagnosis
from .failure import ALIVE, DIVERGED, SOLVER_FAILED, SWITCHED
from .flow_side import FlowSide
from .integrate import Memory, Reached, begun, integrate, reveals_evaluations
from .integrator import Integrator
from .stabilized import Stabilized

SMALLEST_STEP = 1e-13


class ODEFlow(Flow):
    """d state / dt = vector_field(loss, t, state).

    switches: whether it is made of pieces: `switch` ends one, and `switched` says where the next one starts.
    real_spectrum: whether the fast eigenvalues of the field's Jacobian are real, as those of a gradient field are; the
    stabilized solvers are for those alone.
    """

    switches: ClassVar[bool] = False
    real_spectrum: ClassVar[bool] = False

    @property
    @abstractmethod
    def field_cost(self) -> FieldCost:
        """Gradients and Hessian products of one evaluation of the vector field."""

    @abstractmethod
    def vector_field(self, loss: Loss, t: Any, state: State) -> State:
        """d state / dt."""

    def switch(self, loss: Loss, t: Any, state: State) -> Any:
        """A number that is positive when a piece starts, at the price of the field; the piece ends where it is 0."""
        raise NotImplementedError

    def switched(self, loss: Loss, t: Any, state: State) -> State:
        """The state from which the next piece starts, when one has ended at `state`."""
        raise NotImplementedError

    def check_integrator(self, integrator: Integrator) -> None:
        """ValueError for a stabilized solver where fast modes may oscillate."""
        if isinstance(integrator.solver, Stabilized) and not self.real_spectrum:
            raise ValueError(
                f"`integrator` {type(integrator.solver).__name__} is for flows whose fast modes only decay; "
                f"{type(self).__name__} may oscillate, which it does not damp: take flows.explicit()."
            )

    def side(self, loss: Loss, start: Start, setting: Setting) -> "ODESide":
        self.check_integrator(setting.integrator)
        return ODESide(self, loss, start, setting)


class ODECarry(NamedTuple):
    """Where the flow stands: at `step` steps of its method, or at `time`, where it failed for the reason `failure`."""

    state: Any
    step: Int[Array, ""]
    time: Array
    failure: Int[Array, ""]
    memory: Memory
    solver_steps: Int[Array, ""]
    evaluations: Int[Array, ""]
    instruments: Instruments

    @property
    def solver_step(self) -> Array:
        """The step that the solver would take next."""
        return self.memory.step


class ODESide(FlowSide):
    """An `ODEFlow` over `every` steps of its method between two samples."""

    flow: ODEFlow
    loss: Loss
    begins: Start
    setting: Setting

    @property
    def integrator(self) -> Integrator:
        """Solver and controller."""
        return self.setting.integrator

    def field(self, t: Any, state: Any) -> Any:
        """d state / dt."""
        return self.flow.vector_field(self.loss, t, state)

    def begin(self) -> ODECarry:
        state = self.flow.init(self.loss, self.begins)
        zero = jnp.asarray(0)
        begin, end = self.time(zero), self.time(self.setting.every)
        first = begun(self.integrator, self.field, begin, end, state)
        nothing = Instruments({}, zero, zero)
        carry = ODECarry(state, zero, begin, first.failure, first.memory, zero, first.evaluations, nothing)
        return carry._replace(instruments=first_instruments(self.setting.observe, self.moment(carry)))

    def advance(self, carry: ODECarry) -> ODECarry:
        target = carry.step + self.setting.every
        if not watching(self.setting.observe):
            return self._advanced(carry, target)

        def going(now: ODECarry) -> Array:
            return (now.step < target) & (now.failure == ALIVE)

        def one(now: ODECarry) -> ODECarry:
            return self._advanced(now._replace(instruments=self.shown(now, since=carry.step)), now.step + 1)

        return jax.lax.while_loop(going, one, carry)

    def moment(self, carry: ODECarry) -> Moment:
        ahead = cache(lambda: self._advanced(carry, carry.step + 1))

        def price(asked: frozenset[str]) -> tuple[Any, Any]:
            taken = ahead().evaluations - carry.evaluations if "following" in asked else 0
            calls, field = taken + ("velocity" in asked), self.flow.field_cost
            return calls * field.gradients, calls * field.hessian_products

        return Moment(
            self.flow.params(carry.state),
            loss=self.loss,
            step=carry.step,
            time=self.time(carry.step),
            time_per_step=self.flow.time_per_step,
            state=carry.state,
            continuous=True,
            following=lambda: self.flow.params(ahead().state),
            velocity=lambda: self.flow.params(self.field(self.time(carry.step), carry.state)),
            preconditioner=lambda: self.flow.preconditioner(self.loss, carry.state),
            price=price,
        )

    def status(self, carry: ODECarry) -> Status:
        return diagnosis.status(self, carry)

    def cost(self, carry: ODECarry) -> Cost:
        """Evaluations of the field times what one of them costs."""
        steps, calls, field = int(carry.solver_steps), int(carry.evaluations), self.flow.field_cost
        if not reveals_evaluations(self.integrator):
            return Cost(None, None, solver_steps=steps)
        return Cost(calls * field.gradients, calls * field.hessian_products, solver_steps=steps)

    def _advanced(self, carry: ODECarry, target: Array) -> ODECarry:
        end = self._integrated(carry, self.time(target))
        failure = jnp.where(self.within(end.state), end.failure, DIVERGED)
        # What an implicit solver leaves behind when its equations have no solution is no point of the flow.
        usable = (failure != DIVERGED) & (failure != SOLVER_FAILED)
        return ODECarry(
            jax.tree.map(lambda new, old: jnp.where(usable, new, old), end.state, carry.state),
            jnp.where(failure == ALIVE, target, carry.step),
            end.time,
            failure,
            end.memory,
            end.solver_steps,
            end.evaluations,
            carry.instruments,
        )

    def _integrated(self, carry: ODECarry, end: Array) -> Reached:
        begin, smallest = self.time(carry.step), SMALLEST_STEP * self.time(self.setting.every)
        start = Reached(carry.state, begin, jnp.asarray(ALIVE), carry.memory, carry.solver_steps, carry.evaluations)
        if not self.flow.switches:
            return integrate(self.integrator, self.field, start, end, smallest)

        def piece(start: Reached) -> Reached:
            return integrate(self.integrator, self.field, start, end, smallest, partial(self.flow.switch, self.loss))

        def next_piece(reached: Reached) -> Reached:
            state = self.flow.switched(self.loss, reached.time, reached.state)
            first = begun(self.integrator, self.field, reached.time, end, state)
            spent, steps = reached.evaluations + first.evaluations, reached.solver_steps
            return piece(first._replace(solver_steps=steps, evaluations=spent))

        return jax.lax.while_loop(lambda reached: reached.failure == SWITCHED, next_piece, piece(start))
