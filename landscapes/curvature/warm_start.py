"""Where the search for eigenvectors starts along a run: at the last ones, ahead of them, or at the ones before.

A mode that the Hessian does not couple to the tracked ones, such as that of another network trained in the same run,
is in no residual: a warm search meets it only where its start does. So the start holds one guard beyond the k tracked
rows, and three where rows are seen to lie in separate parts of the params, as in an ensemble: there the next value
often comes from a part that is not among the tracked ones. At intervals the search starts at random instead.

The limit: a mode without coupling that rises from below the guards may be missed until the next search from a random
start, which is the tenth where parts are seen, the thirtieth elsewhere, unless the one random vector that every search
tries finds it before. Whoever must not miss one measures with a fresh `top_eigenpairs`.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from ..problem import Params
from .davidson import Eigenpairs, stray_vector
from .eigenpairs import start_block

GUARDS = 3
SEPARATE = 0.02
WIDE = 2
COLD_EVERY, COLD_EVERY_IN_PARTS = 30, 10


class Track(NamedTuple):
    """What the last two searches found, and which of three guesses from the two before came closest to the last.

    rule: 0, they stay, as after a jump; 1, they move on as they moved, as along a flow; 2, they come back after two
    steps, as in an oscillation of period two that is measured at every step.
    block: its last rows are zeros where one guard is enough.
    in_parts: whether rows were seen in separate parts of the params.  age: searches since the last from a random start.
    """

    block: Float[Array, "b n"]
    earlier: Float[Array, "b n"]
    rule: Int[Array, ""]
    in_parts: Bool[Array, ""]
    age: Int[Array, ""]


def begin(params: Params, k: int) -> Track:
    """Before the first search for k pairs: a random start."""
    block = start_block(params, k, guards=GUARDS)
    block = _guarded(block, k, jnp.asarray(False))
    return Track(block, block, jnp.asarray(0), jnp.asarray(False), jnp.asarray(0))


def guess(track: Track) -> Float[Array, "b n"]:
    """The start of the next search."""
    rows = jnp.any(track.block != 0, axis=1, keepdims=True)
    return jax.lax.switch(
        jnp.where(_is_cold(track), 3, track.rule),
        [
            lambda: track.block,
            lambda: 2 * track.block - (track.block @ track.earlier.T) @ track.earlier,
            lambda: track.earlier,
            lambda: jnp.where(rows, stray_vector(track.block, rows=True), 0),
        ],
    )


def followed(track: Track, pairs: Eigenpairs) -> Track:
    """After a search that started at `guess`; non-finite params have no eigenvectors, and the old ones are kept."""
    k, b = pairs.vectors.shape[0], min(pairs.vectors.shape[0] + 1, track.block.shape[0])
    rows = jnp.concatenate([track.block[:b], track.earlier[:b], pairs.vectors])
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
    in_parts = _lie_in_parts(pairs.block, k)
    age = jnp.where(_is_cold(track), 1, track.age + 1)
    new = Track(_guarded(pairs.block, k, in_parts), track.block, rule, in_parts, age)
    usable = jnp.all(jnp.isfinite(pairs.block))
    return jax.tree.map(lambda now, before: jnp.where(usable, now, before), new, track)


def _lie_in_parts(block: Float[Array, "b n"], k: int) -> Bool[Array, ""]:
    """Whether a tracked row and another one share next to no params: magnitudes at random have a product of 0.6.

    A row that is nearly one param alone says nothing of parts: any two such rows share none.
    """
    magnitudes = jnp.abs(block)
    wide = jnp.sum(magnitudes**4, axis=1) < 1 / WIDE
    found = jnp.any(block != 0, axis=1)
    apart = magnitudes[:k] @ magnitudes.T < SEPARATE
    return jnp.any(apart & (wide & found) & wide[:k, None])


def _guarded(block: Float[Array, "b n"], k: int, in_parts: Bool[Array, ""]) -> Float[Array, "b n"]:
    """The rows that the next search starts from."""
    return jnp.where(in_parts | (jnp.arange(block.shape[0])[:, None] <= k), block, 0)


def _is_cold(track: Track) -> Bool[Array, ""]:
    return track.age >= jnp.where(track.in_parts, COLD_EVERY_IN_PARTS, COLD_EVERY)
