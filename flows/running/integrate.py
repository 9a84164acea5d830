"""The loop that integrates a flow from sample to sample: diffrax's solver and controller, carried on without restarts.

Not `diffrax.diffeqsolve`, whose program is made for every option that it has: it is several times as large, and checks
by callbacks to Python, with which no compiled program can be kept for the next process. What happens here is a code in
the carry.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import optimistix
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool, Int

from .failure import ALIVE, SOLVER_FAILED, STEP_LIMIT, SWITCHED, UNDERFLOW
from .integrator import Integrator, asks_for
from .stabilized import Stabilized
from .stabilized.solver import chosen

Field = Callable[[Any, Any], Any]
Switch = Callable[[Any, Any], Any]

# A step that ends this close to the end of the interval, in roundings of it, ends there.
CLOSE = 100
CUT_SHORT = 0.999
STRETCHED = 0.01


class Memory(NamedTuple):
    """What an integration knows from the stretch before.

    solver, controller: their states.  step: what the controller proposed before the end of an interval cut it short.
    jumped: whether the field may jump here, as the controller says.  fresh: whether no step has been accepted yet.
    """

    solver: Any
    controller: Any
    step: Array
    jumped: Bool[Array, ""]
    fresh: Bool[Array, ""]


class Reached(NamedTuple):
    """How far an integration has come: whether it goes on, is `SWITCHED`, or how it failed.

    solver_steps: rejected included.  evaluations: of the field, and of the switch; 0 where the solver does not reveal
    them.
    """

    state: Any
    time: Array
    failure: Int[Array, ""]
    memory: Memory
    solver_steps: Int[Array, ""]
    evaluations: Int[Array, ""]


class _Loop(NamedTuple):
    reached: Reached
    taken: Int[Array, ""]
    before: Any


def begun(integrator: Integrator, field: Field, begin: Array, end: Array, state: Any) -> Reached:
    """Where nothing has been integrated yet.  field: (t, state) -> d state / dt."""
    flat, unravel = _flattened(integrator, state)
    solver, terms = _solver(integrator), _terms(field, unravel)
    order, given = solver.error_order(terms), integrator.first_step
    known, spent = None, 0
    if given is None and isinstance(solver, Stabilized):
        known = solver.init(terms, begin, end, flat, None)
        given = solver.first_step(known)
    elif given is None and reveals_evaluations(integrator):
        # The controller looks twice to choose.
        spent = 2
    first, controller = integrator.controller.init(terms, begin, end, flat, given, None, solver.func, order)
    known = solver.init(terms, begin, first, flat, None) if known is None else known
    if isinstance(solver, Stabilized):
        spent = known.evaluations
    memory = Memory(
        known,
        jax.tree.map(jnp.asarray, controller),
        jnp.asarray(first - begin, begin.dtype),
        jnp.asarray(False),
        jnp.asarray(True),
    )
    return Reached(state, begin, jnp.asarray(ALIVE), memory, jnp.asarray(0), jnp.asarray(spent))


def integrate(
    integrator: Integrator, field: Field, start: Reached, end: Array, smallest: Any, switch: Switch | None = None
) -> Reached:
    """From where an integration has come to the end, to where the switch falls through zero, or to where it fails.

    smallest: a step below it no longer moves, and fails.
    """
    flat, unravel = _flattened(integrator, start.state)
    solver, controller, terms = _solver(integrator), integrator.controller, _terms(field, unravel)
    order = solver.error_order(terms)
    asked_of: Any = None if switch is None else lambda t, y: switch(t, unravel(y))
    roundings = CLOSE * jnp.finfo(end.dtype).eps * jnp.abs(end)
    # What else a controller knows, such as where the field jumps, it has to say again after a step was cut short.
    remembers = isinstance(controller, diffrax.PIDController | diffrax.ConstantStepSize)

    def going(now: _Loop) -> Array:
        return (now.reached.time < end) & (now.reached.failure == ALIVE) & (now.taken < integrator.max_steps)

    def one(now: _Loop) -> _Loop:
        here = now.reached
        memory = here.memory
        proposed = here.time + memory.step
        # Never by much more than was proposed: a step that was rejected would be taken again, and again.
        to = jnp.where(proposed > end - jnp.minimum(roundings, STRETCHED * memory.step), end, proposed)
        state, error, dense, solver_state, verdict = solver.step(
            terms, here.time, to, here.state, None, memory.solver, memory.jumped
        )
        # A field that is not defined where a stage looked asks for a shorter step.
        error = jax.tree.map(lambda e: jnp.where(jnp.isnan(e), jnp.inf, e), error)
        kept, t0, t1, jumped, controller_state, verdict_of_control = controller.adapt_step_size(
            here.time, to, here.state, state, None, error, order, memory.controller
        )
        kept = jnp.asarray(kept)
        # A step cut short and accepted says nothing about the step to propose: its error is far below the tolerance.
        cut = kept & (to - here.time < CUT_SHORT * memory.step) & remembers
        step = jnp.where(cut, memory.step, t1 - t0)
        failure = jnp.where(kept & (verdict != diffrax.RESULTS.successful), SOLVER_FAILED, ALIVE)
        failure = jnp.where(verdict_of_control != diffrax.RESULTS.successful, UNDERFLOW, failure)
        failure = jnp.where((step < smallest) & (failure == ALIVE), UNDERFLOW, failure)
        spent = here.evaluations + _evaluations_of(integrator, memory, solver_state)
        after = Memory(
            chosen(kept, solver_state, memory.solver),
            chosen(cut, memory.controller, controller_state),
            step,
            jnp.where(kept, jumped, memory.jumped),
            memory.fresh & ~kept,
        )
        time = jnp.minimum(t0, end)
        reached = Reached(chosen(kept, state, here.state), time, failure, after, here.solver_steps + 1, spent)
        if switch is None:
            return _Loop(reached, now.taken + 1, now.before)
        value = asked_of(time, reached.state)
        crossed = (now.before > 0) & (value <= 0)
        interpolated = solver.interpolation_cls(t0=here.time, t1=to, **dense)
        reached = reached._replace(evaluations=spent + 1)
        reached = jax.lax.cond(
            crossed & (failure == ALIVE),
            partial(_located, asked_of, interpolated, here.time),
            lambda r: r,
            reached,
        )
        return _Loop(reached, now.taken + 1, value)

    before = None if switch is None else switch(start.time, start.state)
    asked = start.evaluations if switch is None else start.evaluations + 1
    first = _Loop(start._replace(state=flat, evaluations=asked), jnp.asarray(0), before)
    found = jax.lax.while_loop(going, one, first).reached
    unfinished = (found.failure == ALIVE) & (found.time < end)
    failure = jnp.where(unfinished, STEP_LIMIT, found.failure)
    return found._replace(state=unravel(found.state), failure=failure)


def _located(switch: Switch, interpolated: Any, begin: Array, reached: Reached) -> Reached:
    """Where the switch falls through zero in the step that led there, by bisection to the last bit of the time."""

    def going(now: tuple) -> Array:
        low, high, _ = now
        middle = low + (high - low) / 2
        return (low < middle) & (middle < high)

    def halved(now: tuple) -> tuple:
        low, high, asked = now
        middle = low + (high - low) / 2
        positive = switch(middle, interpolated.evaluate(middle)) > 0
        return jnp.where(positive, middle, low), jnp.where(positive, high, middle), asked + 1

    _, time, asked = jax.lax.while_loop(going, halved, (begin, reached.time, jnp.asarray(0)))
    state = chosen(time < reached.time, interpolated.evaluate(time), reached.state)
    failure = jnp.asarray(SWITCHED, reached.failure.dtype)
    return reached._replace(state=state, time=time, failure=failure, evaluations=reached.evaluations + asked)


def reveals_evaluations(integrator: Integrator) -> bool:
    """Whether the solver lets its evaluations of the field be counted; implicit ones do not."""
    solver = integrator.solver
    if isinstance(solver, Stabilized):
        return True
    runge_kutta = isinstance(solver, diffrax.AbstractERK) and isinstance(solver.tableau, diffrax.ButcherTableau)
    return runge_kutta or isinstance(solver, diffrax.Euler)


def _evaluations_of(integrator: Integrator, before: Memory, after: Any) -> Any:
    """What a step has taken, accepted or not."""
    solver: Any = integrator.solver
    if isinstance(solver, Stabilized):
        return after.evaluations - before.solver.evaluations
    if not reveals_evaluations(integrator):
        return 0
    if isinstance(solver, diffrax.Euler):
        return 1
    # The first stage is the last of the step before, if there was one.
    known = 1 if solver.tableau.fsal else 0
    return solver.tableau.num_stages - known * ~(before.fresh | before.jumped)


def _solver(integrator: Integrator) -> Any:
    """The solver; one that is implicit with the tolerances of the controller where it asks for them."""
    solver, controller = integrator.solver, integrator.controller
    if not isinstance(solver, diffrax.AbstractImplicitSolver):
        return solver
    asked = asks_for(solver)
    if not asked:
        return solver
    return eqx.tree_at(
        lambda s: [getattr(s.root_finder, name) for name in asked],
        solver,
        [getattr(controller, name) for name in asked],
    )


def _flattened(integrator: Integrator, state: Any) -> tuple[Any, Callable[[Any], Any]]:
    """The state as one array, as a program of few large arrays compiles faster than one of many, and the way back.

    Not where the controller has a norm of its own, which may know the leaves.
    """
    if getattr(integrator.controller, "norm", optimistix.rms_norm) is optimistix.rms_norm:
        return ravel_pytree(state)
    return state, lambda same: same


def _terms(field: Field, unravel: Callable[[Any], Any]) -> diffrax.ODETerm:
    """The field of the state as it is integrated."""

    def moved(t: Any, y: Any, _: Any) -> Any:
        velocity = field(t, unravel(y))
        return ravel_pytree(velocity)[0] if isinstance(y, jax.Array) else velocity

    return diffrax.ODETerm(moved)
