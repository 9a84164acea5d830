"""A flow as one side of a run: integrated from sample to sample, watched for failure, measured."""

from typing import Any, NamedTuple

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Int

from discrete.loop import Carry, Measured, Side
from landscapes import Loss, Observables, Params, init_carries, measure_all

from .flow import Flow
from .integrator import Integrator, carried

ALIVE, STEP_LIMIT, UNDERFLOW, SOLVER_FAILED, DIVERGED = range(5)
SMALLEST_STEP = 1e-13


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
        solver, controller, terms = self.integrator.solver, self._controller(), self._terms()
        begin, end = self._time(jnp.asarray(0)), self._time(self.every)
        first, controller_state = controller.init(
            terms, begin, end, state, self.integrator.first_step, None, solver.func, solver.error_order(terms)
        )
        solver_state = solver.init(terms, begin, first, state, None)
        instruments = init_carries(self.observe, self.flow.params(state))
        zero, step = jnp.asarray(0), jnp.asarray(first - begin)
        return FlowCarry(
            state, zero, begin, jnp.asarray(ALIVE), solver_state, controller_state, step, zero, instruments
        )

    def alive(self, carry: FlowCarry) -> Bool[Array, ""]:
        return carry.failure == ALIVE

    def advance(self, carry: FlowCarry) -> FlowCarry:
        target = carry.step + self.every
        solution = self._integrated(carry, target)
        state = jax.tree.map(lambda rows: rows[-1], solution.ys)
        failure = jnp.where(self._within(state), _failure(solution.result), DIVERGED)
        # What an implicit solver leaves behind when its equations have no solution is no point of the flow.
        usable = (failure != DIVERGED) & (failure != SOLVER_FAILED)
        return FlowCarry(
            jax.tree.map(lambda new, old: jnp.where(usable, new, old), state, carry.state),
            jnp.where(failure == ALIVE, target, carry.step),
            solution.ts[-1],
            failure,
            solution.solver_state,
            solution.controller_state,
            solution.controller_state[1],
            carry.solver_steps + solution.stats["num_steps"],
            carry.instruments,
        )

    def measure(self, carry: FlowCarry, reference: Any) -> tuple[Measured, Carry]:
        del reference
        params = self.flow.params(carry.state)
        observations, instruments = measure_all(self.observe, params, carry.instruments)
        measured = {"observations": observations}
        if self.keep_params:
            measured["params"] = params
        return measured, carry._replace(instruments=instruments)

    def _integrated(self, carry: FlowCarry, target: Array) -> Any:
        return diffrax.diffeqsolve(
            self._terms(),
            self.integrator.solver,
            self._time(carry.step),
            self._time(target),
            carry.solver_step,
            carry.state,
            saveat=diffrax.SaveAt(t1=True, solver_state=True, controller_state=True),
            stepsize_controller=self._controller(),
            max_steps=self.integrator.max_steps,
            throw=False,
            solver_state=carry.solver_state,
            controller_state=carry.controller_state,
            adjoint=diffrax.ForwardMode(),
        )

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
