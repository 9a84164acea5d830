"""The algebraically largest (or smallest) eigenpairs of a Hessian, tracked along a run from a warm start.

Block Davidson iteration without preconditioner, restarted thickly: the subspace grows by the residual of the first
unconverged pair, one Hessian product at a time. From a random start this is a Lanczos method; from the block found at
the last measurement it needs a few products. (Davidson 1975; Stathopoulos, Saad and Wu 1998 for the thick restart.)
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool, Float, Int

from .hessian import dense_hessian, hessian_operator
from .problem import Loss, Params

Operator = Callable[[Float[Array, " n"]], Float[Array, " n"]]


class Eigenpairs(NamedTuple):
    """values: (k,) descending algebraically (ascending for which="smallest"); vectors: (k, n), rows of norm 1.

    residuals: (k,), r = |H v - theta v| / max |theta|: each value is within r max |theta| of an eigenvalue, and within
    r^2 max |theta| / gap of it where the relative gap to the rest of the spectrum is known (Parlett 1980, theorem 11.7.1).
    products: Hessian products spent.  block: (b, n) with b >= k, the start of the next, warm search.
    """

    values: Float[Array, " k"]
    vectors: Float[Array, "k n"]
    residuals: Float[Array, " k"]
    products: Int[Array, ""]
    block: Float[Array, "b n"]


class _Search(NamedTuple):
    basis: Float[Array, "m n"]
    images: Float[Array, "m n"]
    projected: Float[Array, "m m"]
    size: Int[Array, ""]
    products: Int[Array, ""]
    values: Float[Array, " b"]
    residuals: Float[Array, " b"]
    errors: Float[Array, " b"]
    defects: Float[Array, "b n"]


GUARDS = 2
DENSE_BELOW = 64


def start_block(params: Params, k: int, seed: int = 0) -> Float[Array, "b n"]:
    """Random orthonormal start for k pairs: k + 2 rows, the two guards keep a rising eigenvalue from being missed."""
    flat, _ = ravel_pytree(params)
    if not 1 <= k <= flat.shape[0]:
        raise ValueError(f"`k` must lie between 1 and the number of parameters {flat.shape[0]}, got {k}.")
    rows = min(k + GUARDS, flat.shape[0])
    random = np.random.default_rng(seed).standard_normal((flat.shape[0], rows))
    return jnp.asarray(np.linalg.qr(random)[0].T, dtype=flat.dtype)


def default_tolerance(dtype) -> float:
    """Relative error of a value that counts as converged: 1e-7 in float64, what rounding leaves in float32 (1e-5)."""
    return max(1e-7, 100 * float(jnp.finfo(dtype).eps))


def top_eigenpairs(
    loss: Loss,
    params: Params,
    k: int = 1,
    *,
    block: Float[Array, "b n"] | None = None,
    which: Literal["largest", "smallest"] = "largest",
    tolerance: float | None = None,
    max_products: int = 500,
) -> Eigenpairs:
    """The k algebraically largest (smallest) eigenpairs of the Hessian of loss at params.

    block: rows to start from, the `block` of an earlier answer; None starts at random.
    tolerance: on the estimated relative error of each value, min(r, r^2 / gap) with the gap taken from the search space;
    a pair that misses it after max_products shows its residual in the answer.
    Below 64 parameters the Hessian is formed and decomposed exactly. Raises ValueError on a bad k or `which`.
    """
    if which not in ("largest", "smallest"):
        raise ValueError(f"`which` must be 'largest' or 'smallest', got {which!r}.")
    start = start_block(params, k) if block is None else block
    sign = 1.0 if which == "largest" else -1.0
    if start.shape[1] < DENSE_BELOW:
        found = _dense(sign * dense_hessian(loss, params), k, start.shape[0])
    else:
        product = hessian_operator(loss, params)
        target = default_tolerance(start.dtype) if tolerance is None else tolerance
        found = search(lambda v: sign * product(v), start, k, tolerance=target, max_products=max_products)
    return found._replace(values=sign * found.values)


def search(operator: Operator, start: Array, k: int, *, tolerance: float, max_products: int) -> Eigenpairs:
    """Block Davidson search for the k algebraically largest eigenpairs of a symmetric operator on R^n."""
    block, n = start.shape
    room = min(max(3 * block, 20), n)

    def unfinished(s: _Search) -> Bool[Array, ""]:
        # One expansion is always made: the guards must follow the spectrum even where the wanted pairs have not moved.
        fresh = s.products <= block
        return (fresh | jnp.any(s.errors[:k] > tolerance)) & (s.products < max_products)

    def expand(s: _Search) -> _Search:
        s = jax.lax.cond(s.size == room, lambda s: _restart(s, keep=(room + block) // 2), lambda s: s, s)
        target = jnp.argmax(s.errors > tolerance)
        vector = _orthogonalized(s.defects[target], s.basis)
        image = operator(vector)
        row = s.basis @ image
        projected = s.projected.at[s.size].set(row).at[:, s.size].set(row)
        projected = projected.at[s.size, s.size].set(vector @ image)
        basis, images = s.basis.at[s.size].set(vector), s.images.at[s.size].set(image)
        return _ritz(
            s._replace(basis=basis, images=images, projected=projected, size=s.size + 1, products=s.products + 1)
        )

    found = jax.lax.while_loop(unfinished, expand, _begin(operator, start, room))
    _, weights = _spectrum(found)
    vectors = weights.T[:block] @ found.basis
    return Eigenpairs(found.values[:k], vectors[:k], found.residuals[:k], found.products, vectors)


def _begin(operator: Operator, start: Array, room: int) -> _Search:
    block, n = start.shape
    rows = jnp.linalg.qr(start.T)[0].T
    images = jax.lax.map(operator, rows)
    pad = ((0, room - block), (0, 0))
    basis, image_rows = jnp.pad(rows, pad), jnp.pad(images, pad)
    projected = basis @ image_rows.T
    zeros = jnp.zeros(block, start.dtype)
    size = jnp.asarray(block)
    projected = (projected + projected.T) / 2
    return _ritz(_Search(basis, image_rows, projected, size, size, zeros, zeros, zeros, jnp.zeros_like(start)))


def _spectrum(s: _Search) -> tuple[Float[Array, " m"], Float[Array, "m m"]]:
    """Eigenvalues, descending, and eigenvectors of the projected matrix; unused rows are sent to the bottom."""
    used = jnp.arange(s.projected.shape[0]) < s.size
    inside = jnp.where(used[:, None] & used[None, :], s.projected, 0)
    below = -2 * jnp.sqrt(jnp.sum(inside**2)) - 1
    values, weights = jnp.linalg.eigh(inside + jnp.diag(jnp.where(used, 0, below)))
    return values[::-1], weights[:, ::-1]


def _ritz(s: _Search) -> _Search:
    block = s.values.shape[0]
    spectrum, weights = _spectrum(s)
    values, top = spectrum[:block], weights.T[:block]
    defects = top @ s.images - values[:, None] * (top @ s.basis)
    scale = jnp.maximum(jnp.max(jnp.abs(values)), jnp.finfo(values.dtype).tiny)
    residuals = jnp.linalg.norm(defects, axis=1) / scale
    distances = jnp.abs(values[:, None] - spectrum[None, :]) / scale
    gaps = jnp.min(jnp.where(jnp.eye(block, spectrum.shape[0], dtype=bool), jnp.inf, distances), axis=1)
    errors = residuals * jnp.minimum(1, residuals / jnp.maximum(gaps, jnp.finfo(values.dtype).tiny))
    return s._replace(values=values, residuals=residuals, errors=errors, defects=defects)


def _restart(s: _Search, keep: int) -> _Search:
    values, weights = _spectrum(s)
    kept = jnp.where(jnp.arange(s.basis.shape[0]) < keep, weights, 0)
    projected = jnp.diag(jnp.where(jnp.arange(s.basis.shape[0]) < keep, values, 0))
    return s._replace(basis=kept.T @ s.basis, images=kept.T @ s.images, projected=projected, size=jnp.asarray(keep))


def _orthogonalized(vector: Array, basis: Array) -> Array:
    for _ in range(2):  # twice is enough (Kahan; Parlett 1980, section 6.9)
        vector = vector / jnp.maximum(jnp.linalg.norm(vector), jnp.finfo(vector.dtype).tiny)
        vector = vector - basis.T @ (basis @ vector)
    return vector / jnp.maximum(jnp.linalg.norm(vector), jnp.finfo(vector.dtype).tiny)


def _dense(matrix: Float[Array, "n n"], k: int, rows: int) -> Eigenpairs:
    values, columns = jnp.linalg.eigh(matrix)
    vectors = columns.T[::-1][:rows]
    top = values[::-1][:k]
    scale = jnp.maximum(jnp.max(jnp.abs(top)), jnp.finfo(top.dtype).tiny)
    residuals = jnp.linalg.norm(vectors[:k] @ matrix - top[:, None] * vectors[:k], axis=1) / scale
    return Eigenpairs(top, vectors[:k], residuals, jnp.asarray(matrix.shape[0]), vectors)
