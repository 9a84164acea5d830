"""Exponential Runge-Kutta steps: exact in a linear part that is known by a few eigenpairs."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Inexact

TERMS = 18
CLASSICAL = np.array([[1 / 2, 0, 0, 0], [0, 1 / 2, 0, 0], [0, 0, 1, 0], [1 / 6, 1 / 3, 1 / 3, 1 / 6]])


def exponential_step(
    field: Callable[[Any], Array],
    moved: Callable[[Any, Array], Any],
    point: Any,
    zero: Inexact[Array, " n"],
    rates: Inexact[Array, " k"],
    vectors: Inexact[Array, "k n"],
    duration: Any,
) -> Any:
    """u' = F(u) from u = 0 for the duration, by the fourth-order method of Cox and Matthews 2002 (RK4 where A = 0).

    F(u) = A u + N(u) with A = sum_i rates_i v_i v_i', v_i the rows of vectors, orthonormal: exact where N is constant.
    point: whatever belongs to a u, 0 at the start.  field: point -> F.  moved: (point, u) -> the point at another u.
    """
    weights = _weights(rates * duration) * duration
    across = jnp.asarray(CLASSICAL * duration, vectors.dtype)

    def stage(i: Array, now: tuple) -> tuple:
        point, u, slopes = now
        slopes = slopes.at[i].set(field(point) - (rates * (vectors @ u)) @ vectors)
        along = jnp.sum((weights[i] - across[i][:, None]) * (slopes @ vectors.T), axis=0)
        u = across[i] @ slopes + along @ vectors
        return moved(point, u), u, slopes

    # A loop over the stages, as the field is most of what there is to compile.
    return jax.lax.fori_loop(0, 4, stage, (point, zero, jnp.zeros((4, *zero.shape), zero.dtype)))[0]


def _weights(w: Inexact[Array, " k"]) -> Inexact[Array, "4 4 k"]:
    """What each stage, and at last the end, takes of the slopes so far, for every eigenvalue of A."""
    e, half, *_ = phi_functions(w / 2)
    _, p, q, r = phi_functions(w)
    none = jnp.zeros_like(w)
    rows = [
        [half / 2, none, none, none],
        [none, half / 2, none, none],
        [half * (e - 1) / 2, none, half, none],
        [p - 3 * q + 4 * r, 2 * q - 4 * r, 2 * q - 4 * r, 4 * r - q],
    ]
    return jnp.stack([jnp.stack(row) for row in rows])


def phi_functions(w: Inexact[Array, " k"]) -> tuple[Array, ...]:
    """exp(w), (exp(w) - 1)/w, (exp(w) - 1 - w)/w^2, (exp(w) - 1 - w - w^2/2)/w^3"""
    near = jnp.abs(w) < 1
    small, large = jnp.where(near, w, 0), jnp.where(near, 1, w)
    last, factorial = jnp.zeros_like(w), 6.0
    weights = [1 / factorial]
    for j in range(4, TERMS + 4):
        weights.append(weights[-1] / j)
    for weight in reversed(weights):
        last = last * small + weight
    series = [last]
    for start in (0.5, 1.0, 1.0):
        series.append(start + small * series[-1])
    closed = [jnp.exp(large)]
    for start in (1.0, 1.0, 0.5):
        closed.append((closed[-1] - start) / large)
    return tuple(jnp.where(near, a, b) for a, b in zip(reversed(series), closed, strict=True))
