"""How flows are integrated: diffrax's solvers and controllers, carried on from sample to sample without restarts."""

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import lineax
import optimistix
from jaxtyping import Array, Int

from discrete.running.run import check_countable
from landscapes import Params

DEFAULT_RTOL = 1e-9
DEFAULT_ATOL = 1e-12
MAX_STEPS = 100_000


class Integrator(eqx.Module):
    """A diffrax solver, a step-size controller, and a limit on the solver's steps between two samples.

    first_step: the first solver step, in the flow's time; None lets an adaptive controller choose it.
    """

    solver: diffrax.AbstractSolver
    controller: diffrax.AbstractStepSizeController
    max_steps: int = eqx.field(static=True, default=MAX_STEPS)
    first_step: Any = None

    def __check_init__(self):
        if self.max_steps < 1:
            raise ValueError(f"`max_steps` must be at least 1, got {self.max_steps}.")
        check_countable("max_steps", self.max_steps)
        adaptive = isinstance(self.controller, diffrax.AbstractAdaptiveStepSizeController)
        if self.first_step is None and not adaptive:
            raise ValueError("`first_step` is missing: a constant step size has to be given, in the flow's time.")
        if isinstance(self.first_step, int | float) and not self.first_step > 0:
            raise ValueError(f"`first_step` must be positive, got {self.first_step}.")


def explicit(*, rtol: float = DEFAULT_RTOL, atol: float = DEFAULT_ATOL, max_steps: int = MAX_STEPS) -> Integrator:
    """The default: Tsitouras' 5(4) pair with a PI controller at relative tolerance 1e-9, absolute 1e-12.

    Stability costs a third of a solver step per unit of sharpness times time: at the edge (2/h), 0.7 per step of the
    method. Each sample cuts one step short. rtol, atol: bound the error of one step, relative and absolute, in the root
    mean square over all entries.
    """
    _check_tolerances(rtol, atol)
    return Integrator(diffrax.Tsit5(), diffrax.PIDController(rtol, atol, pcoeff=0.2, icoeff=0.5), max_steps)


def stiff(*, rtol: float = 1e-6, atol: float = 1e-9, max_steps: int = MAX_STEPS) -> Integrator:
    """Kvaerno's 5(4) ESDIRK with Newton and GMRES: matrix-free, for sharpness times time from the tens of thousands on.

    No Jacobian is formed: the memory is that of 60 parameter vectors (12 for `explicit`). One step costs 12 to 14
    gradients and 250 to 400 Hessian products, thousands where the rates fill eight decades, so it pays only where
    stability holds an explicit solver to more than about a hundred steps for each of its own.
    """
    _check_tolerances(rtol, atol)
    linear = lineax.GMRES(rtol=rtol, atol=atol, restart=20, stagnation_iters=40)
    newton = diffrax.with_stepsize_controller_tols(optimistix.Newton)(linear_solver=linear)
    controller = diffrax.PIDController(rtol, atol, pcoeff=0.3, icoeff=0.4)
    return Integrator(diffrax.Kvaerno5(root_finder=newton), controller, max_steps)


# The finest rtol and atol at which rounding stays below the error estimate, in units of it: a Newton iteration, whose
# residual is a difference of nearly equal numbers, meets less than an explicit step.
FINEST: dict[Callable[..., Integrator], tuple[float, float]] = {explicit: (10, 1), stiff: (1000, 10)}


def resolving(kind: Callable[..., Integrator], params: Params, **settings: Any) -> Integrator:
    """`explicit` or `stiff` at its default tolerances, or at the finest that the precision of the params can meet.

    In float32 these are 1.2e-6 and 1.2e-7 for `explicit`, 1.2e-4 and 1.2e-6 for `stiff`. settings: as given, and final.
    """
    rounding = max(float(jnp.finfo(jnp.result_type(leaf)).eps) for leaf in jax.tree.leaves(params))
    defaults = inspect.signature(kind).parameters
    limits = zip(("rtol", "atol"), FINEST[kind], strict=True)
    return kind(**{name: max(defaults[name].default, units * rounding) for name, units in limits} | settings)


def _check_tolerances(rtol: float, atol: float) -> None:
    if not (0 < rtol < 1 and 0 <= atol < 1):
        raise ValueError(f"`rtol` must lie in (0, 1) and `atol` in [0, 1), got {rtol} and {atol}.")


class Proposal(NamedTuple):
    """The state of a controller, and the step that it proposed."""

    inner: Any
    step: Array


class CarriedController(diffrax.AbstractStepSizeController):
    """The user's controller, remembering the step it proposed before the end of an interval cut that step short.

    Without it every sample would restart the step-size search from a step that only met the sample's time. Its state
    is a `Proposal`. A step below `smallest` ends the solve: it no longer moves.
    """

    inner: diffrax.AbstractStepSizeController
    smallest: Any

    def wrap(self, direction):
        return eqx.tree_at(lambda c: c.inner, self, self.inner.wrap(direction))

    def init(self, terms, t0, t1, y0, dt0, args, func, error_order):
        t_next, state = self.inner.init(terms, t0, t1, y0, dt0, args, func, error_order)
        return t_next, Proposal(state, jnp.asarray(t_next - t0))

    def adapt_step_size(self, t0, t1, y0, y1_candidate, args, y_error, error_order, controller_state):
        state, proposed = controller_state.inner, controller_state.step
        keep, next_t0, next_t1, jump, new_state, result = self.inner.adapt_step_size(
            t0, t1, y0, y1_candidate, args, y_error, error_order, state
        )
        # A step cut short and accepted says nothing about the step to propose: its error is far below the tolerance.
        cut = keep & (t1 - t0 < 0.999 * proposed)
        step = jnp.where(cut, proposed, next_t1 - next_t0)
        new_state = jax.tree.map(lambda old, new: jnp.where(cut, old, new), state, new_state)
        result = diffrax.RESULTS.where(step < self.smallest, diffrax.RESULTS.dt_min_reached, result)
        return keep, next_t0, next_t0 + step, jump, Proposal(new_state, step), result


class CarriedAdaptiveController(CarriedController, diffrax.AbstractAdaptiveStepSizeController):
    """The same for an adaptive controller, whose tolerances implicit solvers ask for."""

    rtol: Any
    atol: Any
    norm: Any = eqx.field(static=True)


def carried(controller: diffrax.AbstractStepSizeController, smallest: Any) -> CarriedController:
    """The controller with its memory."""
    if isinstance(controller, diffrax.AbstractAdaptiveStepSizeController):
        tolerances = {"rtol": controller.rtol, "atol": controller.atol, "norm": controller.norm}
        return CarriedAdaptiveController(inner=controller, smallest=smallest, **tolerances)
    return CarriedController(inner=controller, smallest=smallest)


class Memory(NamedTuple):
    """What a solver knows from the stretch before: its own state, its controller's, the step it would take next."""

    solver: Any
    controller: Any
    step: Array


class Reached(NamedTuple):
    """How far an integration has come, and why it ended there."""

    state: Any
    time: Array
    result: diffrax.RESULTS
    memory: Memory
    solver_steps: Int[Array, ""]


Field = Callable[[Any, Any], Any]


def first_memory(integrator: Integrator, field: Field, begin: Array, end: Array, state: Any, smallest: Any) -> Memory:
    """The memory where nothing has been integrated yet. field: (t, state) -> d state / dt."""
    solver, controller, terms = integrator.solver, carried(integrator.controller, smallest), _terms(field)
    first, controller_state = controller.init(
        terms, begin, end, state, integrator.first_step, None, solver.func, solver.error_order(terms)
    )
    return Memory(solver.init(terms, begin, first, state, None), controller_state, jnp.asarray(first - begin))


def integrate(
    integrator: Integrator, field: Field, start: Reached, end: Array, smallest: Any, event: diffrax.Event | None = None
) -> Reached:
    """From where an integration has come to the end, or to the event, or to where the solver gives up."""
    solution = diffrax.diffeqsolve(
        _terms(field),
        integrator.solver,
        start.time,
        end,
        start.memory.step,
        start.state,
        saveat=diffrax.SaveAt(t1=True, solver_state=True, controller_state=True),
        stepsize_controller=carried(integrator.controller, smallest),
        max_steps=integrator.max_steps,
        throw=False,
        solver_state=start.memory.solver,
        controller_state=start.memory.controller,
        adjoint=diffrax.ForwardMode(),
        event=event,
    )
    assert solution.ts is not None
    controller_state: Any = solution.controller_state
    return Reached(
        jax.tree.map(lambda rows: rows[-1], solution.ys),
        solution.ts[-1],
        solution.result,
        Memory(solution.solver_state, controller_state, controller_state.step),
        start.solver_steps + solution.stats["num_steps"],
    )


def _terms(field: Field) -> diffrax.ODETerm:
    return diffrax.ODETerm(lambda t, y, _: field(t, y))


def evaluations(integrator: Integrator, solver_steps: int) -> int | None:
    """Vector-field evaluations of an explicit Runge-Kutta solver; None for one that does not reveal them.

    One more is spent, and not counted, each time the very first step is rejected.
    """
    solver = integrator.solver
    choosing = 2 if integrator.first_step is None else 0
    if isinstance(solver, diffrax.Euler):
        return solver_steps + choosing
    if not isinstance(solver, diffrax.AbstractERK) or not isinstance(solver.tableau, diffrax.ButcherTableau):
        return None
    first_is_last = int(solver.tableau.fsal)
    return solver_steps * (solver.tableau.num_stages - first_is_last) + first_is_last + choosing


def evaluations_of_a_step(integrator: Integrator) -> int:
    """Of one more solver step; 0 for a solver that does not reveal them."""
    one, none = evaluations(integrator, 1), evaluations(integrator, 0)
    return 0 if one is None or none is None else one - none
