"""Why a flow stopped, in words a person can act on."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

from .side import DIVERGED, STEP_LIMIT, UNDERFLOW, FlowCarry, FlowSide

POWER_ITERATIONS = 30
STABILITY_RANGE = (0.5, 20.0)


def status(side: FlowSide, carry: FlowCarry) -> str:
    """The status of a flow that failed: diverged, too stiff for its solver, at the step limit, or a failed solve."""
    solver = type(side.integrator.solver).__name__
    step = float(carry.time) / float(side.flow.time_per_step)
    if int(carry.failure) == DIVERGED:
        return f"diverged at step {int(np.ceil(step))}"
    size = float(carry.solver_step)
    if int(carry.failure) == UNDERFLOW:
        return f"stopped: the step of {solver} shrank to {size:.1e} at step {step:.1f}: the field is not finite or not smooth"
    if int(carry.failure) != STEP_LIMIT:
        return f"stopped: {solver} failed to solve its implicit equations at step {step:.1f}; lower rtol or max step"
    rate = fastest_rate(side, carry)
    limit = f"{side.integrator.max_steps} solver steps between two samples at step {step:.1f}"
    if STABILITY_RANGE[0] < rate * size < STABILITY_RANGE[1]:
        return f"stopped: too stiff for {solver}: {limit}, held to {size:.1e} by the rate {rate:.1e}; use flows.stiff()"
    return f"stopped: step limit: {limit}; raise max_steps or loosen rtol"


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
