"""Whether a field jumps where a solver got stuck: a kink of the loss, to whose two sides no step size converges."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array

CONTRAST = 10.0
LASTING = 0.1
RESOLVED = 1e4
TESTED_EVERY = 4


class Jump(NamedTuple):
    """By how much a field jumps, and over what distance it still does."""

    size: float
    distance: float


def jump_along(field: Any, state: Any, velocity: Any, duration: float, scale: float) -> Jump | None:
    """The jump of field(state) on the line state + t velocity, |t| <= duration; None where it is smooth or not finite.

    Bisected towards where it changes most. At a jump the change does not shrink with the distance: it stays above a
    tenth of the first one, and is ten times that over the next such distances on either side, which rounding and a
    steep but smooth field share with it.
    scale: of the params; a change within sqrt(epsilon) of it counts as a jump, and the line is at least 10^4 roundings
    of it long.
    """
    epsilon = float(max(jnp.finfo(jnp.result_type(leaf)).eps for leaf in jax.tree.leaves(velocity)))
    speed = float(optax.tree.norm(velocity))
    if not np.isfinite(speed) or speed == 0:
        return None

    @jax.jit
    def changes(times: Array) -> Array:
        """How much the field changes from each of the times to the next."""

        def at(time: Array) -> Any:
            return field(jax.tree.map(lambda x, v: (x + time * v).astype(x.dtype), state, velocity))

        values = jax.lax.map(at, times)
        steps = jax.tree.map(lambda rows: jnp.abs(rows[1:] - rows[:-1]).reshape(len(times) - 1, -1), values)
        return jnp.sqrt(sum(jnp.sum(leaf**2, axis=1) for leaf in jax.tree.leaves(steps)))

    end = max(duration, RESOLVED * epsilon * scale / speed)
    low, high = -end, end
    whole, found = None, None
    for halving in range(int(-np.log2(epsilon))):
        width = high - low
        if halving % TESTED_EVERY == 0:
            # Left of the interval, the interval in its two halves, right of it.
            before, first, second, after = (
                float(x) for x in changes(low + width * jnp.array([-1.0, 0.0, 0.5, 1.0, 2.0]))
            )
            size = first + second
            whole = size if whole is None else whole
            lasts = size > LASTING * whole and size > CONTRAST * max(before, after)
            if lasts and width * speed <= np.sqrt(epsilon) * scale:
                found = Jump(size, width * speed)
        else:
            first, second = (float(x) for x in changes(jnp.array([low, (low + high) / 2, high])))
        if not np.isfinite(first + second):
            return None
        low, high = (low, (low + high) / 2) if first > second else ((low + high) / 2, high)
    return found
