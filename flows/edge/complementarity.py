"""Semidefinite complementarity: the oscillation that holds several eigenvalues at a bound."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

MAX_ITERATIONS = 20_000
OUT_OF_REACH = 1e6


class Complementarity(NamedTuple):
    """X >= 0 with Y = A + B[X] >= 0 and <X, Y> = 0, and how well it was found.

    matrix: X.  residual: |X' - (X' - Y')_+|, the projection on X >= 0, in units where A and B have norm 1; 0 at a
    solution.  definiteness: the smallest over the largest |eigenvalue| of the symmetric part of B, on the directions in
    play; where it is negative there may be several solutions or none.
    out_of_reach: whether there is none, and that is known: some Z >= 0 has <Z, A> < 0 and <Z, B[X]> <= 0 for all
    X >= 0, so that A + B[X] >= 0 asks for a trace of X beyond 10^6 in those units, if not for more than any.
    """

    matrix: Float[Array, "k k"]
    residual: Float[Array, ""]
    definiteness: Float[Array, ""]
    iterations: Int[Array, ""]
    out_of_reach: Bool[Array, ""]


class _Iterate(NamedTuple):
    matrix: Float[Array, "k k"]
    before: Float[Array, "k k"]
    ahead: Float[Array, "k k"]
    momentum: Float[Array, ""]
    residual: Float[Array, ""]
    iterations: Int[Array, ""]


def pairs(k: int) -> np.ndarray:
    """(i, j) with i <= j in the order (0, 0), (0, 1), (1, 1), (0, 2), ...: the first m directions fill the front."""
    return np.array([(i, j) for j in range(k) for i in range(j + 1)])


def pair_weights(k: int) -> np.ndarray:
    """1 for i = j, sqrt(2) else: what an entry counts in the norm."""
    index = pairs(k)
    return np.where(index[:, 0] == index[:, 1], 1.0, 2.0**0.5)


def symmetric(entries: Float[Array, " p"], k: int) -> Float[Array, "k k"]:
    """The symmetric matrix with these entries at the `pairs`."""
    index = pairs(k)
    half = jnp.zeros((k, k), entries.dtype).at[index[:, 0], index[:, 1]].set(entries)
    return half + half.T - jnp.diag(jnp.diag(half))


def solve_complementarity(
    constant: Float[Array, "k k"],
    operator: Float[Array, "p p"],
    guess: Float[Array, "k k"],
    active: Array,
    *,
    rounding: Any = 0.0,
    tolerance: float | None = None,
    max_iterations: int = MAX_ITERATIONS,
) -> Complementarity:
    """X >= 0, A + B[X] >= 0, <X, A + B[X]> = 0 among symmetric matrices that vanish outside the active directions.

    operator: B as the matrix of <e_p, B[e_q]> in the orthonormal basis of `pairs`, e = u_i u_j' + u_j u_i' over sqrt(2)
        off the diagonal.  guess: an X to begin with.  active: (k,), which directions take part.
    rounding: an error of A, in its units, within which Y >= 0 counts as met: the residual is in units where
        |A| + rounding/tolerance is 1.
    Where A >= 0, up to rounding, X is 0, the least of the solutions. The solution with Y = 0, if it is positive
    semidefinite, is taken as it is, the least one where B is singular: with one direction X = max(0, -A/B).
    Otherwise accelerated projected gradients with restarts (Beck and Teboulle 2009; O'Donoghue and Candes 2015) of
    <X, B[X]>/2 + <A, X>, down to the tolerance on the residual (None: `residual_tolerance`). One above it is for the
    caller to report; where there is no X at all, their steps tend to the Z that shows it.
    """
    k, dtype = constant.shape[0], constant.dtype
    tolerance = residual_tolerance(dtype) if tolerance is None else tolerance
    index, weights = pairs(k), jnp.asarray(pair_weights(k), dtype)

    def vector(matrix: Array) -> Array:
        return weights * matrix[index[:, 0], index[:, 1]]

    def matrix(vector: Array) -> Array:
        return symmetric(vector / weights, k)

    both = active[:, None] & active[None, :]
    inside = both[index[:, 0], index[:, 1]]
    tiny = jnp.finfo(dtype).tiny
    operator = jnp.where(inside[:, None] & inside[None, :], operator, 0)
    above = 1 + jnp.sum(jnp.abs(operator))
    spectrum = jnp.linalg.eigvalsh((operator + operator.T) / 2 + jnp.diag(jnp.where(inside, 0, above)))
    count = jnp.sum(inside)
    largest = jnp.where(count > 0, jnp.maximum(spectrum[jnp.maximum(count - 1, 0)], -spectrum[0]), 0)
    scale = jnp.maximum(jnp.linalg.norm(jnp.where(both, constant, 0)), tiny**0.5)
    unit = 1 + rounding / (tolerance * scale)
    # A direction out of play has slack to spare.
    a = vector(jnp.where(both, constant / scale, jnp.eye(k, dtype=dtype)))
    b = operator / jnp.maximum(largest, tiny)

    def slack(x: Array) -> Array:
        return matrix(a + b @ vector(x))

    def residual(x: Array) -> Array:
        return jnp.linalg.norm(x - positive_part(x - slack(x))) / unit

    closed = positive_part(matrix(jnp.where(inside, jnp.linalg.lstsq(b + jnp.diag(1.0 * ~inside), -a)[0], 0)))
    before = jnp.where(both, guess * largest / scale, 0)
    # Of equally good ones the first is taken.
    candidates = jnp.stack([jnp.zeros_like(closed), closed, before])
    residuals = jax.vmap(residual)(candidates)
    best = jnp.where(residuals[0] * unit * scale <= rounding, 0, jnp.argmin(residuals))

    def unfinished(now: _Iterate) -> Array:
        # Where nothing bends there is nothing to iterate on; where B is negative X grows without end.
        going = (now.iterations < max_iterations) & (jnp.trace(now.matrix) < OUT_OF_REACH**2)
        return (now.residual > tolerance) & going & (largest > 0)

    def iterate(now: _Iterate) -> _Iterate:
        moved = positive_part(now.ahead - slack(now.ahead))
        turned = jnp.sum((now.ahead - moved) * (moved - now.matrix)) > 0
        momentum = jnp.where(turned, 1.0, (1 + jnp.sqrt(1 + 4 * now.momentum**2)) / 2)
        push = jnp.where(turned, 0.0, (now.momentum - 1) / momentum)
        ahead = moved + push * (moved - now.matrix)
        return _Iterate(moved, now.matrix, ahead, momentum, residual(moved), now.iterations + 1)

    begin = candidates[best]
    first = _Iterate(begin, begin, begin, jnp.ones((), dtype), residuals[best], jnp.asarray(0))
    last = jax.lax.while_loop(unfinished, iterate, first)

    def forbids(direction: Array) -> Bool[Array, ""]:
        """Whether a trace of 10^6 is too small for <Z, A> + <B'[Z], X> >= 0, Z the positive part of the direction."""
        part = positive_part(jnp.where(both, direction, 0))
        z = part / jnp.maximum(jnp.linalg.norm(part), tiny)
        lifted = jnp.linalg.eigvalsh(matrix(b.T @ vector(z)))[-1]
        return (-jnp.sum(z * matrix(a)) - unit * tolerance) > OUT_OF_REACH * jnp.maximum(lifted, 0)

    showing = [forbids(direction) for direction in (-matrix(a), last.matrix, last.matrix - last.before)]
    return Complementarity(
        jnp.where(both & (largest > 0), last.matrix * scale / jnp.maximum(largest, tiny), 0),
        last.residual,
        jnp.where(count > 0, spectrum[0] / jnp.maximum(largest, tiny), 1.0),
        last.iterations,
        ~(last.residual <= tolerance) & jnp.any(jnp.stack(showing)),
    )


def residual_tolerance(dtype: Any) -> float:
    """What a residual can be solved to: 1e-10 in float64."""
    return max(1e-10, 100 * float(jnp.finfo(dtype).eps))


def positive_part(matrix: Float[Array, "k k"]) -> Float[Array, "k k"]:
    """The nearest positive semidefinite matrix to a symmetric one."""
    values, vectors = jnp.linalg.eigh((matrix + matrix.T) / 2)
    return (vectors * jnp.maximum(values, 0)) @ vectors.T
