"""A flow as one side of a run: integrated from sample to sample, watched for failure, measured."""

from typing import Any, NamedTuple

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import optax
import optimistix
from jaxtyping import Array, Bool, Int

from discrete.running.march import Carry, Measured, Side
from landscapes import Loss, Observables, Params, has_motion, has_preconditioned, init_carries, measure_all

from ..flow import Flow
from .integrator import Integrator, carried

ALIVE, STEP_LIMIT, UNDERFLOW, SOLVER_FAILED, DIVERGED = range(5)
SMALLEST_STEP = 1e-13
SWITCH_TOLERANCE = 1e-12


class FlowCarry(NamedTuple):
    """Where a flow stands: at `step` steps of its method, or at `time`, where it failed for the reason `failure`."""

    state: Any
    step: Int[Array, ""]
    time: Array
    failure: Int[Array, ""]
    solver_state: Any
    controller_state: Any
    solver_step: Array
    solver_steps: Int[Array, ""]
    instruments: dict[str, Any]


class Reached(NamedTuple):
    """How far an integration has come, and why it ended there."""

    state: Any
    time: Array
    result: diffrax.RESULTS
    solver_state: Any
    controller_state: Any
    solver_steps: Int[Array, ""]


class FlowSide(Side):
    """A flow over `every` steps of its method between two samples."""

    flow: Flow
    loss: Loss
    origin: Params
    observe: Observables
    every: Int[Array, ""]
    radius: Any
    integrator: Integrator
    keep_params: bool = eqx.field(static=True, default=False)

    def start(self) -> FlowCarry:
        state = self.flow.init(self.loss, self.origin)
        begin = self._time(jnp.asarray(0))
        solver_state, controller_state, step = self._fresh(begin, self._time(self.every), state)
        instruments = init_carries(self.observe, self.flow.params(state))
        zero = jnp.asarray(0)
        return FlowCarry(
            state, zero, begin, jnp.asarray(ALIVE), solver_state, controller_state, step, zero, instruments
        )

    def alive(self, carry: FlowCarry) -> Bool[Array, ""]:
        return carry.failure == ALIVE

    def advance(self, carry: FlowCarry) -> FlowCarry:
        target = carry.step + self.every
        end = self._integrated(carry, target)
        failure = jnp.where(self._within(end.state), _failure(end.result), DIVERGED)
        # What an implicit solver leaves behind when its equations have no solution is no point of the flow.
        usable = (failure != DIVERGED) & (failure != SOLVER_FAILED)
        return FlowCarry(
            jax.tree.map(lambda new, old: jnp.where(usable, new, old), end.state, carry.state),
            jnp.where(failure == ALIVE, target, carry.step),
            end.time,
            failure,
            end.solver_state,
            end.controller_state,
            end.controller_state[1],
            carry.solver_steps + end.solver_steps,
            carry.instruments,
        )

    def measure(self, carry: FlowCarry, reference: Any) -> tuple[Measured, Carry]:
        del reference
        params = self.flow.params(carry.state)
        velocity = self._velocity(carry) if has_motion(self.observe) else None
        preconditioned = has_preconditioned(self.observe)
        preconditioner = self.flow.preconditioner(self.loss, carry.state) if preconditioned else None
        observations, instruments = measure_all(
            self.observe,
            params,
            carry.instruments,
            lambda observable: observable.of_flow(*self._in_clock_of(observable, carry.step, params, velocity)),
            preconditioner,
        )
        measured = {"observations": observations}
        if predicted := self.flow.predictions(self.loss, carry.state):
            measured["predictions"] = predicted
        if self.keep_params:
            measured["params"] = params
        return measured, carry._replace(instruments=instruments)

    def _integrated(self, carry: FlowCarry, target: Array) -> "Reached":
        begin, end = self._time(carry.step), self._time(target)
        start = Reached(
            carry.state,
            begin,
            diffrax.RESULTS.event_occurred,
            carry.solver_state,
            carry.controller_state,
            jnp.asarray(0),
        )
        first = self._piece(start, carry.solver_step, end)
        if not self.flow.switches:
            return first

        def another(reached: Reached) -> Bool[Array, ""]:
            return reached.result == diffrax.RESULTS.event_occurred

        def next_piece(reached: Reached) -> Reached:
            state = self.flow.switched(self.loss, reached.time, reached.state)
            solver_state, controller_state, step = self._fresh(reached.time, end, state)
            fresh = Reached(state, reached.time, reached.result, solver_state, controller_state, reached.solver_steps)
            return self._piece(fresh, step, end)

        return jax.lax.while_loop(another, next_piece, first)

    def _piece(self, start: "Reached", solver_step: Array, end: Array) -> "Reached":
        """Integrated to the end, or to where the flow switches."""
        event = None
        if self.flow.switches:
            tolerance = max(SWITCH_TOLERANCE, 10 * float(jnp.finfo(end.dtype).eps))
            event = diffrax.Event(
                # diffrax compares it with numbers of the default precision.
                lambda t, y, *_, **__: jnp.asarray(self.flow.switch(self.loss, t, y), jnp.result_type(float)),
                optimistix.Bisection(rtol=tolerance, atol=tolerance, flip="detect"),
                direction=False,
            )
        solution = diffrax.diffeqsolve(
            self._terms(),
            self.integrator.solver,
            start.time,
            end,
            solver_step,
            start.state,
            saveat=diffrax.SaveAt(t1=True, solver_state=True, controller_state=True),
            stepsize_controller=self._controller(),
            max_steps=self.integrator.max_steps,
            throw=False,
            solver_state=start.solver_state,
            controller_state=start.controller_state,
            adjoint=diffrax.ForwardMode(),
            event=event,
        )
        assert solution.ts is not None
        return Reached(
            jax.tree.map(lambda rows: rows[-1], solution.ys),
            solution.ts[-1],
            solution.result,
            solution.solver_state,
            solution.controller_state,
            start.solver_steps + solution.stats["num_steps"],
        )

    def _fresh(self, begin: Array, end: Array, state: Any) -> tuple[Any, Any, Array]:
        """Solver state, controller state and first step where nothing has been integrated yet."""
        solver, controller, terms = self.integrator.solver, self._controller(), self._terms()
        first, controller_state = controller.init(
            terms, begin, end, state, self.integrator.first_step, None, solver.func, solver.error_order(terms)
        )
        return solver.init(terms, begin, first, state, None), controller_state, jnp.asarray(first - begin)

    def _in_clock_of(self, observable: Any, step: Array, params: Params, velocity: Any) -> tuple[Array, Params, Params]:
        """Time, params and velocity as the instrument sees them."""
        clock = getattr(observable, "time_per_step", None)
        if clock is None:
            return self._time(step), params, velocity
        faster = self.flow.time_per_step / clock
        return step * clock, params, jax.tree.map(lambda v: (faster * v).astype(v.dtype), velocity)

    def _velocity(self, carry: FlowCarry) -> Params:
        return self.flow.params(self.flow.vector_field(self.loss, self._time(carry.step), carry.state))

    def _within(self, state: Any) -> Bool[Array, ""]:
        distance = optax.tree.norm(optax.tree.sub(self.flow.params(state), self.origin))
        return jnp.isfinite(distance) & (distance <= self.radius)

    def _terms(self) -> diffrax.ODETerm:
        return diffrax.ODETerm(lambda t, y, _: self.flow.vector_field(self.loss, t, y))

    def _controller(self) -> diffrax.AbstractStepSizeController:
        return carried(self.integrator.controller, SMALLEST_STEP * self._time(self.every))

    def _time(self, step: Array) -> Array:
        dtype = jnp.result_type(*jax.tree.leaves(self.origin))
        return jnp.asarray(step * self.flow.time_per_step, dtype)


def _failure(result: diffrax.RESULTS) -> Array:
    limit = jnp.where(result == diffrax.RESULTS.max_steps_reached, STEP_LIMIT, SOLVER_FAILED)
    kind = jnp.where(result == diffrax.RESULTS.dt_min_reached, UNDERFLOW, limit)
    return jnp.where(result == diffrax.RESULTS.successful, ALIVE, kind)
