"""Why a flow stopped, in words a person can act on."""

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import optax

from .ode import DIVERGED, STEP_LIMIT, UNDERFLOW, FlowCarry, FlowSide

POWER_ITERATIONS = 30
STABILITY_RANGE = (0.5, 20.0)


def status(side: FlowSide, carry: FlowCarry) -> str:
    """The status of a flow that failed: diverged, too stiff for its solver, at the step limit, or a failed solve."""
    solver, failure = type(side.integrator.solver).__name__, int(carry.failure)
    step, size = float(carry.time) / float(side.flow.time_per_step), float(carry.solver_step)
    if failure == DIVERGED:
        # n h / h may come out a rounding above n.
        return f"diverged at step {int(np.ceil(step * (1 - 10 * jnp.finfo(carry.time.dtype).eps)))}"
    where = f"at step {step:.4g}"
    if not field_is_finite(side, carry):
        return f"stopped: the field is not finite {where}, where {solver} had to stop"
    if failure == UNDERFLOW:
        return (
            f"stopped: the step of {solver} shrank to {size:.1e} {where}: the field is not finite or not smooth nearby"
        )
    if failure != STEP_LIMIT:
        return f"stopped: {solver} could not solve its implicit equations {where}; make its steps smaller, e.g. dtmax"
    limit = f"{side.integrator.max_steps} solver steps between two samples {where}"
    if is_held_back(side) and STABILITY_RANGE[0] < (rate := fastest_rate(side, carry)) * size < STABILITY_RANGE[1]:
        return f"stopped: too stiff for {solver}: {limit}, held to {size:.1e} by the rate {rate:.1e}; use flows.stiff()"
    return f"stopped: step limit: {limit}; raise max_steps or loosen rtol"


def is_held_back(side: FlowSide) -> bool:
    """Whether stability can limit the solver's step: it is explicit, and a controller chooses the step."""
    adaptive = isinstance(side.integrator.controller, diffrax.AbstractAdaptiveStepSizeController)
    return adaptive and not isinstance(side.integrator.solver, diffrax.AbstractImplicitSolver)


def field_is_finite(side: FlowSide, carry: FlowCarry) -> bool:
    """Whether the vector field is finite where the flow stopped."""
    field = side.flow.vector_field(side.loss, carry.time, carry.state)
    return all(bool(jnp.all(jnp.isfinite(leaf))) for leaf in jax.tree.leaves(field))


def fastest_rate(side: FlowSide, carry: FlowCarry) -> float:
    """Estimate of the largest |eigenvalue| of the field's Jacobian at the carry, by power iteration."""

    def field(state):
        return side.flow.vector_field(side.loss, carry.time, state)

    @jax.jit
    def rate(state):
        leaves, treedef = jax.tree.flatten(state)
        keys = jax.random.split(jax.random.key(0), len(leaves))
        noise = [jax.random.normal(k, jnp.shape(x), jnp.result_type(x)) for k, x in zip(keys, leaves, strict=True)]

        def one(_, vector):
            image = jax.jvp(field, (state,), (vector,))[1]
            return optax.tree.scale(1 / jnp.maximum(optax.tree.norm(image), 1e-30), image)

        vector = jax.lax.fori_loop(0, POWER_ITERATIONS, one, jax.tree.unflatten(treedef, noise))
        return optax.tree.norm(jax.jvp(field, (state,), (vector,))[1])

    return float(rate(carry.state))
