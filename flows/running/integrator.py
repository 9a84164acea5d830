"""With what a flow is integrated: a solver and a step-size controller of diffrax."""

import inspect
from collections.abc import Callable
from typing import Any

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import lineax
import optimistix

from discrete.running.run import check_countable
from landscapes import Params

from .stabilized import RKC2, ROCK4

DEFAULT_RTOL = 1e-9
DEFAULT_ATOL = 1e-12
MAX_STEPS = 100_000
_TAKEN_FROM_CONTROLLER = diffrax.with_stepsize_controller_tols(optimistix.Newton)().rtol


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
        if isinstance(self.solver, diffrax.AbstractImplicitSolver) and not adaptive and asks_for(self.solver):
            raise ValueError(
                f"`solver` {type(self.solver).__name__} takes the tolerances of its equations from `controller`, which "
                "has none: give its root_finder rtol and atol, or take a diffrax.PIDController."
            )
        if isinstance(self.first_step, int | float) and not self.first_step > 0:
            raise ValueError(f"`first_step` must be positive, got {self.first_step}.")


def asks_for(solver: diffrax.AbstractImplicitSolver) -> list[str]:
    """Which of rtol, atol and norm the equations of an implicit solver take from the controller."""
    finder: Any = solver.root_finder
    return [name for name in ("rtol", "atol", "norm") if getattr(finder, name) is _TAKEN_FROM_CONTROLLER]


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


def stabilized(*, rtol: float = 1e-5, atol: float = 1e-8, order: int = 4, max_steps: int = MAX_STEPS) -> Integrator:
    """For gradient flows and their kin: stages by the square root of sharpness times time, where others need by itself.

    order 4: ROCK4, 2: RKC2, see `flows.running.stabilized`. Only for fields whose Jacobian has a real spectrum, as
    those of gradient flow and of its modified flows have: an equation of momentum oscillates, and `solve` refuses it.
    """
    _check_tolerances(rtol, atol)
    solvers = {2: RKC2, 4: ROCK4}
    if order not in solvers:
        raise ValueError(f"`order` must be 2 or 4, got {order!r}.")
    return Integrator(solvers[order](), diffrax.PIDController(rtol, atol, pcoeff=0.2, icoeff=0.5), max_steps)


# The finest rtol and atol at which rounding stays below the error estimate, in units of it: a Newton iteration, whose
# residual is a difference of nearly equal numbers, meets less than an explicit step.
FINEST: dict[Callable[..., Integrator], tuple[float, float]] = {
    explicit: (10, 1),
    stabilized: (10, 1),
    stiff: (1000, 10),
}


def finest(kind: Callable[..., Integrator], params: Params) -> tuple[float, float]:
    """The finest rtol and atol that the precision of the params can meet."""
    rounding = max(float(jnp.finfo(jnp.result_type(leaf)).eps) for leaf in jax.tree.leaves(params))
    rtol, atol = FINEST[kind]
    return rtol * rounding, atol * rounding


def resolving(kind: Callable[..., Integrator], params: Params, **settings: Any) -> Integrator:
    """`explicit`, `stabilized` or `stiff` at its default tolerances, or the finest that the params' precision can meet.

    In float32 these are 1.2e-6 and 1.2e-7 for `explicit`, 1.2e-4 and 1.2e-6 for `stiff`. settings: as given, and final.
    """
    defaults = inspect.signature(kind).parameters
    limits = zip(("rtol", "atol"), finest(kind, params), strict=True)
    return kind(**{name: max(defaults[name].default, limit) for name, limit in limits} | settings)


def _check_tolerances(rtol: float, atol: float) -> None:
    if not (0 < rtol < 1 and 0 <= atol < 1):
        raise ValueError(f"`rtol` must lie in (0, 1) and `atol` in [0, 1), got {rtol} and {atol}.")
