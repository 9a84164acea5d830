"""Why a flow stopped, in words a person can act on."""

from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import optax

from discrete import Status
from landscapes import top_eigenpairs
from landscapes.curvature.directional import along

from .failure import DIVERGED, SOLVER_FAILED, STEP_LIMIT, UNDERFLOW
from .jumps import Jump, jump_along
from .radius import beyond_radius
from .stabilized import Stabilized

POWER_ITERATIONS = 30
# What stability leaves of an explicit step times the fastest rate, whatever the method.
LEAST_STABLE, MOST_STABLE = 0.5, 20.0
AROUND = 16.0
# A jump of the field by this share of the gradient at the start is a kink, however fast the rates seem there.
LARGE = 0.1
# One by this share of it, times the square root of epsilon, is none.
NEGLIGIBLE = 0.02
CHATTER = 1e-3


def status(side: Any, carry: Any) -> Status:
    """The status of a flow that failed: diverged, outside its series, too stiff, at a jump, at a limit, unsolved.

    side, carry: an `ODESide`, and the carry with which it failed.
    """
    step = float(carry.time) / float(side.flow.time_per_step)
    outside = outside_its_series(side, carry)
    if int(carry.failure) == DIVERGED:
        # n h / h may come out a rounding above n.
        whole = int(np.ceil(step * (1 - 10 * jnp.finfo(carry.time.dtype).eps)))
        return Status("diverged", whole, outside or "")
    return Status("stopped", step, reason(side, carry, f"at step {step:.4g}", outside))


def reason(side: Any, carry: Any, where: str, outside: str | None) -> str:
    """Why the solver gave up; outside: what `outside_its_series` says."""
    solver, failure, size = type(side.integrator.solver).__name__, int(carry.failure), float(carry.solver_step)
    limit = f"{side.integrator.max_steps} solver steps between two samples {where}"
    if not field_is_finite(side, carry):
        return f"the field is not finite {where}, where {solver} had to stop"
    if outside:
        return f"{limit if failure == STEP_LIMIT else f'{solver} failed {where}'}: {outside}"
    met = jump(side, carry)
    # Where both sides of a kink lead to it, its curvature may pass for a fast rate; what decays fast is small by then.
    slides = met is not None and met.size > LARGE * _first_slope(side)
    rate = fastest_rate(side, carry) if failure == STEP_LIMIT and is_held_back(side) and not slides else 0.0
    if LEAST_STABLE < rate * size < most_stable(side.integrator.solver):
        return f"too stiff for {solver}: {limit}, held to {size:.1e} by the rate {rate:.1e}; use flows.stiff()"
    if met:
        return f"the field jumps {where}, by {met.size:.1e} within {met.distance:.0e}: {remedy(side, carry)}"
    if failure == UNDERFLOW:
        return f"the step of {solver} shrank to {size:.1e} {where}: the field is not finite or not smooth nearby"
    if failure != STEP_LIMIT:
        return f"{solver} could not solve its implicit equations {where}; make its steps smaller, e.g. dtmax"
    return f"step limit: {limit}; raise max_steps or loosen rtol"


def outside_its_series(side: Any, carry: Any) -> str | None:
    """What `beyond_radius` says at the start, or else at the last usable state before the failure."""
    if side.flow.series_radius is None:
        return None
    for params in (side.origin, side.flow.params(carry.state)):
        sharpness = float(top_eigenpairs(side.loss, params, 1).values[0])
        if np.isfinite(sharpness) and (told := beyond_radius(side.flow, sharpness)):
            return told
    return None


def jump(side: Any, carry: Any) -> Jump | None:
    """The jump of the field within a few solver steps of where the flow stopped, None where it is smooth."""
    return _jump_of(lambda state: side.flow.vector_field(side.loss, carry.time, state), side, carry)


def remedy(side: Any, carry: Any) -> str:
    """What helps at a jump: of the gradient, a kink of the loss, or of its derivatives alone."""

    def slopes(state: Any) -> Any:
        return jax.grad(side.loss)(side.flow.params(state))

    if _jump_of(slopes, side, carry) is None:
        return (
            "the gradient does not, but the derivatives of it that the flow takes do; more steps will not help, "
            "flows.GradientFlow or a lower order will"
        )
    # One digit is enough of a tolerance, and what is printed is what is meant.
    tolerance = f"{CHATTER * _scale(side):.0e}"
    return (
        "a kink of the loss; more steps or a smaller tolerance will not help, a loss that is smooth there will "
        f"(sqrt(x^2 + 1e-6) for |x|), or flows.explicit(rtol=1e-3, atol={tolerance}), which stays within about ten "
        f"times that of it; {type(side.flow.method).__name__} itself steps over it"
    )


def _jump_of(field: Any, side: Any, carry: Any) -> Jump | None:
    velocity = side.flow.vector_field(side.loss, carry.time, carry.state)
    # Implicit equations that have no solution leave the state of the last sample, with the failure some way ahead.
    behind = float(carry.time) - float(carry.step * side.flow.time_per_step) if carry.failure == SOLVER_FAILED else 0.0
    found = jump_along(field, carry.state, velocity, AROUND * float(carry.solver_step) + 2 * behind, _scale(side))
    if found is None:
        return None
    least = NEGLIGIBLE * float(jnp.finfo(carry.time.dtype).eps) ** 0.5
    return found if found.size > least * _first_slope(side) else None


def _first_slope(side: Any) -> float:
    """|grad L| at the start."""
    return float(optax.tree.norm(jax.grad(side.loss)(side.origin)))


def _scale(side: Any) -> float:
    """The largest of the params at the start."""
    return max(float(jnp.max(jnp.abs(leaf))) for leaf in jax.tree.leaves(side.origin)) or 1.0


def is_held_back(side: Any) -> bool:
    """Whether stability can limit the solver's step: it is explicit, and a controller chooses the step."""
    adaptive = isinstance(side.integrator.controller, diffrax.AbstractAdaptiveStepSizeController)
    return adaptive and not isinstance(side.integrator.solver, diffrax.AbstractImplicitSolver)


def most_stable(solver: Any) -> float:
    """The largest step times the fastest rate to which stability may hold the solver."""
    # A controller proposes up to ten times the last step, which is rejected where it needs too many stages.
    return 10 * float(solver.reach) if isinstance(solver, Stabilized) else MOST_STABLE


def field_is_finite(side: Any, carry: Any) -> bool:
    """Whether the vector field is finite where the flow stopped."""
    field = side.flow.vector_field(side.loss, carry.time, carry.state)
    return all(bool(jnp.all(jnp.isfinite(leaf))) for leaf in jax.tree.leaves(field))


def fastest_rate(side: Any, carry: Any) -> float:
    """Estimate of the largest |eigenvalue| of the field's Jacobian at the carry, by power iteration."""

    def field(state):
        return side.flow.vector_field(side.loss, carry.time, state)

    @jax.jit
    def rate(state):
        leaves, treedef = jax.tree.flatten(state)
        keys = jax.random.split(jax.random.key(0), len(leaves))
        noise = [jax.random.normal(k, jnp.shape(x), jnp.result_type(x)) for k, x in zip(keys, leaves, strict=True)]

        def one(_, vector):
            image = along(field, (state,), (vector,))[1]
            return optax.tree.scale(1 / jnp.maximum(optax.tree.norm(image), 1e-30), image)

        vector = jax.lax.fori_loop(0, POWER_ITERATIONS, one, jax.tree.unflatten(treedef, noise))
        return optax.tree.norm(along(field, (state,), (vector,))[1])

    return float(rate(carry.state))
