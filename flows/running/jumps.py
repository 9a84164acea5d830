"""Whether a field jumps where a solver got stuck: a kink of the loss, to whose two sides no step size converges."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array

CONTRAST = 10.0
LASTING = 0.1
ROUNDINGS = 1e3
RESOLVED = 1e4
TESTED_EVERY = 4


class Jump(NamedTuple):
    """By how much a field jumps, and over what distance it still does."""

    size: float
    distance: float


def jump_along(field: Any, state: Any, velocity: Any, duration: float, scale: float) -> Jump | None:
    """The jump of field(state) on the line state + t velocity, |t| <= duration; None where it is smooth or not finite.

    Bisected towards where it changes most. At a jump the change does not shrink with the distance: it stays above a
    tenth of what it is within sqrt(epsilon) of the scale of the params, above a thousand roundings of the field, and
    is ten times that over the next such distances on either side, which noise and a steep but smooth field share.
    The line is at least 10^4 roundings of the scale long.
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

    magnitude = float(optax.tree.norm(field(state)))
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
            if width * speed <= np.sqrt(epsilon) * scale:
                whole = size if whole is None else whole
                if size > max(LASTING * whole, CONTRAST * before, CONTRAST * after, ROUNDINGS * epsilon * magnitude):
                    found = Jump(size, width * speed)
        else:
            first, second = (float(x) for x in changes(jnp.array([low, (low + high) / 2, high])))
        if not np.isfinite(first + second):
            return None
        low, high = (low, (low + high) / 2) if first > second else ((low + high) / 2, high)
    return found
