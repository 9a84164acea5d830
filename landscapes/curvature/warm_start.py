"""Where the search for eigenvectors starts along a run: at the last ones, ahead of them, or at the ones before."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ..problem import Params
from .eigenpairs import Eigenpairs, start_block


class Track(NamedTuple):
    """What the last two searches found, and which of three guesses from the two before came closest to the last.

    rule: 0, they stay, as after a jump; 1, they move on as they moved, as along a flow; 2, they come back after two
    steps, as in an oscillation of period two that is measured at every step.
    """

    block: Float[Array, "b n"]
    earlier: Float[Array, "b n"]
    rule: Int[Array, ""]


def begin(params: Params, k: int) -> Track:
    """Before the first search for k pairs: a random start."""
    block = start_block(params, k)
    return Track(block, block, jnp.asarray(0))


def guess(track: Track) -> Float[Array, "b n"]:
    """The start of the next search."""
    return jax.lax.switch(
        track.rule,
        [
            lambda: track.block,
            lambda: 2 * track.block - (track.block @ track.earlier.T) @ track.earlier,
            lambda: track.earlier,
        ],
    )


def followed(track: Track, pairs: Eigenpairs) -> Track:
    """After a search that started at `guess`; non-finite params have no eigenvectors, and the old ones are kept."""
    k, b = pairs.vectors.shape[0], track.block.shape[0]
    rows = jnp.concatenate([track.block, track.earlier, pairs.vectors])
    products = rows @ rows.T
    stay = jnp.eye(b, rows.shape[0], dtype=rows.dtype)
    back = jnp.eye(b, rows.shape[0], b, dtype=rows.dtype)
    ahead = 2 * stay - products[:b, b : 2 * b] @ back

    def captured(weights: Float[Array, "b m"]) -> Float[Array, ""]:
        """How much of the k unit vectors the span of these combinations of rows holds."""
        gram, seen = weights @ products @ weights.T, weights @ products[:, -k:]
        return jnp.sum(seen * jnp.linalg.solve(gram, seen))

    held = jnp.stack([captured(weights) for weights in (stay, ahead, back)])
    rule = jnp.argmax(jnp.where(jnp.isfinite(held), held, -jnp.inf))
    new = Track(pairs.block, track.block, rule)
    usable = jnp.all(jnp.isfinite(pairs.block))
    return jax.tree.map(lambda now, before: jnp.where(usable, now, before), new, track)
