"""Why a flow stopped, in words a person can act on."""

from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import optax

from discrete import Status
from landscapes.curvature.directional import along

from .failure import DIVERGED, STEP_LIMIT, UNDERFLOW

POWER_ITERATIONS = 30
STABILITY_RANGE = (0.5, 20.0)


def status(side: Any, carry: Any) -> Status:
    """The status of a flow that failed: diverged, too stiff for its solver, at the step limit, or a failed solve.

    side, carry: an `ODESide`, and the carry with which it failed.
    """
    step = float(carry.time) / float(side.flow.time_per_step)
    if int(carry.failure) == DIVERGED:
        # n h / h may come out a rounding above n.
        return Status("diverged", int(np.ceil(step * (1 - 10 * jnp.finfo(carry.time.dtype).eps))))
    return Status("stopped", step, reason(side, carry, f"at step {step:.4g}"))


def reason(side: Any, carry: Any, where: str) -> str:
    """Why the solver gave up."""
    solver, failure, size = type(side.integrator.solver).__name__, int(carry.failure), float(carry.solver_step)
    if not field_is_finite(side, carry):
        return f"the field is not finite {where}, where {solver} had to stop"
    if failure == UNDERFLOW:
        return f"the step of {solver} shrank to {size:.1e} {where}: the field is not finite or not smooth nearby"
    if failure != STEP_LIMIT:
        return f"{solver} could not solve its implicit equations {where}; make its steps smaller, e.g. dtmax"
    limit = f"{side.integrator.max_steps} solver steps between two samples {where}"
    if is_held_back(side) and STABILITY_RANGE[0] < (rate := fastest_rate(side, carry)) * size < STABILITY_RANGE[1]:
        return f"too stiff for {solver}: {limit}, held to {size:.1e} by the rate {rate:.1e}; use flows.stiff()"
    return f"step limit: {limit}; raise max_steps or loosen rtol"


def is_held_back(side: Any) -> bool:
    """Whether stability can limit the solver's step: it is explicit, and a controller chooses the step."""
    adaptive = isinstance(side.integrator.controller, diffrax.AbstractAdaptiveStepSizeController)
    return adaptive and not isinstance(side.integrator.solver, diffrax.AbstractImplicitSolver)


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
