"""How far from its start a run may go."""

from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float

from landscapes import Params
from landscapes.precision import at_least_single

DIVERGENCE_RADIUS = 1e6


def divergence_distance(params: Params, radius: float) -> Float[Array, ""]:
    """The distance from the start at which a run counts as diverged: radius * max(1, |params|)."""
    if not radius > 0:
        raise ValueError(f"`divergence_radius` must be positive, got {radius}.")
    return _distance(params, radius)


@jax.jit
def _distance(params: Params, radius: Any) -> Float[Array, ""]:
    # In float16 a million is infinite.
    return radius * jnp.maximum(1, optax.tree.norm(at_least_single(params)))


def is_within(params: Params, origin: Params, distance: Float[Array, ""]) -> Bool[Array, ""]:
    """Whether params are finite and no farther from the start than that."""
    reached = optax.tree.norm(optax.tree.sub(at_least_single(params), at_least_single(origin)))
    return jnp.isfinite(reached) & (reached <= distance)
