"""The algebraically largest (or smallest) eigenpairs of a Hessian, tracked along a run from a warm start.

Block Davidson iteration without preconditioner, restarted thickly: the subspace grows by the residual of the worst
wanted pair, one Hessian product at a time. From a random start this is a Lanczos method; from the block found at the
last measurement it needs a few products. (Davidson 1975; Stathopoulos, Saad and Wu 1998 for the thick restart.)

Residuals never leave an invariant subspace, so a warm start alone would stay blind to a mode that the Hessian does not
couple to the tracked ones, however far it rises above them. Every search therefore opens with a fresh random vector,
and ends no sooner than one step after it: such a mode is found within some ten measurements, at one product for each.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool, Float, Int

from ..problem import Loss, Params, count
from .hessian import dense_hessian, hessian_operator

Operator = Callable[[Float[Array, " n"]], Float[Array, " n"]]

GUARDS = 1
PROBES = 1
COARSE = 0.05
DENSE_BELOW = 64
COLLAPSED = 1e-4


class Eigenpairs(NamedTuple):
    """values: (k,) descending algebraically (ascending for which="smallest"); vectors: (k, n), rows of norm 1.

    H is the Hessian, or P^-1/2 H P^-1/2 where there is a preconditioner.
    residuals: (k,), r = |H v - theta v| / max |theta|: each value is within r max |theta| of an eigenvalue, and within
    r^2 max |theta| / gap of it where the relative gap to the other eigenvalues is known (Parlett 1980, section 11.7).
    The maximum is over the k values; beside a spectrum that reaches as far as R, it counts as at least R sqrt(epsilon).
    products: Hessian products spent.  block: (b, n) with b >= k, the start of the next, warm search.
    following: the next value as the block shows it, from below and not converged; -inf where the block ends with k.
    """

    values: Float[Array, " k"]
    vectors: Float[Array, "k n"]
    residuals: Float[Array, " k"]
    products: Int[Array, ""]
    block: Float[Array, "b n"]
    following: Float[Array, ""]


class _Search(NamedTuple):
    basis: Float[Array, "m n"]
    images: Float[Array, "m n"]
    projected: Float[Array, "m m"]
    size: Int[Array, ""]
    products: Int[Array, ""]
    values: Float[Array, " b"]
    norms: Float[Array, " b"]
    residuals: Float[Array, " b"]
    errors: Float[Array, " b"]
    defects: Float[Array, "b n"]


def start_block(params: Params, k: int, seed: int = 0) -> Float[Array, "b n"]:
    """Random orthonormal start for k pairs: k + 1 rows, the guard shows how far the next eigenvalue is."""
    flat, _ = ravel_pytree(params)
    _check_k(params, k)
    rows = min(k + GUARDS, flat.shape[0])
    random = np.random.default_rng(seed).standard_normal((flat.shape[0], rows))
    return jnp.asarray(np.linalg.qr(random)[0].T, dtype=flat.dtype)


def default_tolerance(dtype) -> float:
    """Relative error of a value that counts as converged: 5e-7 in float64, what rounding leaves in float32 (1e-5)."""
    return max(5e-7, 100 * float(jnp.finfo(dtype).eps))


def top_eigenpairs(
    loss: Loss,
    params: Params,
    k: int = 1,
    *,
    block: Float[Array, "b n"] | None = None,
    which: Literal["largest", "smallest"] = "largest",
    tolerance: float | None = None,
    max_products: int = 500,
    preconditioner: Any = None,
    together: bool = False,
    beyond: Any = None,
) -> Eigenpairs:
    """The k algebraically largest (smallest) eigenpairs of the Hessian of loss at params.

    block: rows to start from, the `block` of an earlier answer; None starts at random.
    tolerance: on the estimated relative error of each value, min(r, r^2 / gap), with the gap as the search space shows
    it (a cluster narrower than r can pass for one eigenvalue); None: see `default_tolerance`.
    max_products: a pair that misses the tolerance after so many shows its residual in the answer.
    preconditioner: P, not negative, shaped like the params or one number: the eigenpairs are those of P^-1/2 H P^-1/2,
    with unit vectors v; P^-1/2 v are eigenvectors of P^-1 H. Params with P = 0 do not take part.
    together: the space of all k must converge, not each pair: what an equal pair needs, whose vectors are not defined.
    beyond: a value that matters; a pair whose value, its residual added, is short of it needs r < 0.05 only.
    Below 64 parameters the Hessian is formed and decomposed exactly. Raises ValueError on a bad argument.
    """
    if which not in ("largest", "smallest"):
        raise ValueError(f"`which` must be 'largest' or 'smallest', got {which!r}.")
    _check_k(params, k)
    start = start_block(params, k) if block is None else block
    n = count(params)
    if start.shape[0] < k or start.shape[1] != n:
        raise ValueError(f"`block` must have at least k = {k} rows of {n} numbers, got shape {start.shape}.")
    sign = 1.0 if which == "largest" else -1.0
    scale = jnp.ones((), start.dtype) if preconditioner is None else inverse_root(preconditioner, params)
    if n < DENSE_BELOW:
        matrix = scale * (scale * dense_hessian(loss, params)).T
        found = _dense(sign * matrix, k, start.shape[0])
    else:
        if max_products < start.shape[0]:
            raise ValueError(f"`max_products` must be at least the {start.shape[0]} of the start, got {max_products}.")
        product = hessian_operator(loss, params)
        target = default_tolerance(start.dtype) if tolerance is None else tolerance
        found = search(
            lambda v: sign * scale * product(scale * v),
            start,
            k,
            tolerance=target,
            max_products=max_products,
            together=together,
            beyond=-jnp.inf if beyond is None else sign * beyond,
        )
    return found._replace(values=sign * found.values, following=sign * found.following)


def inverse_root(preconditioner: Any, params: Params) -> Float[Array, " n"]:
    """P^-1/2 on flattened params, 0 where P is 0; ValueError unless P is a number or shaped like the params."""
    try:
        scale = jax.tree.map(_like, jax.tree.broadcast(preconditioner, params), params)
    except ValueError as error:
        shapes = jax.tree.map(jnp.shape, preconditioner), jax.tree.map(jnp.shape, params)
        raise ValueError(
            f"`preconditioner` must be a number or have the shapes of the params, {shapes[1]}, got {shapes[0]}."
        ) from error
    flat, _ = ravel_pytree(scale)
    # No comparison that is false for NaN: what is no number must show.
    return jnp.where(flat == 0, 0, 1 / jnp.sqrt(jnp.where(flat == 0, 1, flat)))


def search(
    operator: Operator,
    start: Array,
    k: int,
    *,
    tolerance: float,
    max_products: int,
    together: bool = False,
    beyond: Any = -jnp.inf,
) -> Eigenpairs:
    """Block Davidson search for the k algebraically largest eigenpairs of a symmetric operator on R^n.

    together: only the space of all k must converge, with gaps to the values outside: enough where they are equal.
    beyond: see `top_eigenpairs`.
    """
    block, n = start.shape
    room = min(max(3 * block, 20), n)
    probed = block + PROBES
    least = probed + 1 if block < n else block
    stray = _stray(start)

    def open_errors(s: _Search) -> Float[Array, " k"]:
        short = (s.values[:k] + s.norms[:k] < beyond) & (s.residuals[:k] < COARSE)
        return jnp.where(short, 0, s.errors[:k])

    def unfinished(s: _Search) -> Bool[Array, ""]:
        return ((s.products < least) | jnp.any(open_errors(s) > tolerance)) & (s.products < max_products)

    def expand(s: _Search) -> _Search:
        # The worst of the wanted pairs, not the first: equal eigenvalues must be brought along together.
        errors = open_errors(s)
        worst = jnp.where(jnp.any(errors > tolerance), jnp.argmax(errors), block - 1)
        probe = jnp.where(s.products == block, stray, s.images[s.size - 1])
        # Rolled, the stray vector is another one.
        spare = jnp.roll(stray, s.products)
        vector = _direction(jnp.where(s.products < probed, probe, s.defects[worst]), s.basis, spare)
        # Reading what it has just written, the loop need not copy the basis.
        basis = s.basis.at[s.size].set(vector)
        image = operator(basis[s.size])
        row = basis @ image
        projected = s.projected.at[s.size].set(row).at[:, s.size].set(row)
        images = s.images.at[s.size].set(image)
        grown = s._replace(basis=basis, images=images, projected=projected, size=s.size + 1, products=s.products + 1)
        return _ritz(grown, k, together)

    def filled(s: _Search) -> _Search:
        return jax.lax.while_loop(lambda s: unfinished(s) & (s.size < room), expand, s)

    def again(s: _Search) -> _Search:
        return _restart(filled(s), keep=(room + block) // 2)

    begun = _begin(operator, start, room)
    if block in (n, max_products):
        begun = _ritz(begun, k, together)
    # A loop in a loop, and a last restart in vain: a branch would copy the whole subspace.
    found = jax.lax.while_loop(unfinished, again, begun)
    _, weights = _spectrum(found)
    vectors = weights.T[:block] @ found.basis
    following = found.values[k] if block > k else jnp.asarray(-jnp.inf, start.dtype)
    return Eigenpairs(found.values[:k], vectors[:k], found.residuals[:k], found.products, vectors, following)


def _like(value: Any, leaf: Array) -> Array:
    return jnp.broadcast_to(jnp.asarray(value, leaf.dtype), leaf.shape)


def _check_k(params: Params, k: int) -> None:
    if not 1 <= k <= count(params):
        raise ValueError(f"`k` must lie between 1 and the number of parameters {count(params)}, got {k}.")


def _stray(start: Array) -> Float[Array, " n"]:
    """A random vector, another one at every measurement: its seed is the rounding of the block."""
    bits = jax.lax.bitcast_convert_type(jnp.sum(start).astype(jnp.float32), jnp.int32)
    return jax.random.normal(jax.random.key(bits), start.shape[1:], start.dtype)


def _begin(operator: Operator, start: Array, room: int) -> _Search:
    """The space of the start; what is told of its pairs is still to come."""
    block = start.shape[0]
    rows = jnp.linalg.qr(start.T)[0].T
    images = jax.lax.map(operator, rows)
    pad = ((0, room - block), (0, 0))
    basis, image_rows = jnp.pad(rows, pad), jnp.pad(images, pad)
    projected = basis @ image_rows.T
    projected = (projected + projected.T) / 2
    zeros, size = jnp.zeros(block, start.dtype), jnp.asarray(block, int)
    return _Search(basis, image_rows, projected, size, size, zeros, zeros, zeros, zeros, jnp.zeros_like(start))


def _spectrum(s: _Search) -> tuple[Float[Array, " m"], Float[Array, "m m"]]:
    """Eigenvalues, descending, and eigenvectors of the projected matrix; unused rows are sent to the bottom."""
    used = jnp.arange(s.projected.shape[0]) < s.size
    inside = jnp.where(used[:, None] & used[None, :], s.projected, 0)
    bound = jnp.max(jnp.sum(jnp.abs(inside), axis=1))
    below = jnp.where(bound > 0, -2 * bound, -1)
    values, weights = jnp.linalg.eigh(inside + jnp.diag(jnp.where(used, 0, below)))
    return values[::-1], weights[:, ::-1]


def _ritz(s: _Search, k: int, together: bool) -> _Search:
    block = s.values.shape[0]
    spectrum, weights = _spectrum(s)
    values, top = spectrum[:block], weights.T[:block]
    defects = top @ s.images - values[:, None] * (top @ s.basis)
    reach = jnp.max(jnp.where(jnp.arange(spectrum.shape[0]) < s.size, jnp.abs(spectrum), 0))
    scale = _scale(values[:k], reach)
    norms = jnp.linalg.norm(defects, axis=1)
    residuals = norms / scale
    distances = jnp.abs(values[:, None] - spectrum[None, :]) / scale
    same = jnp.eye(block, spectrum.shape[0], dtype=bool)
    if together:
        same = same | ((jnp.arange(block)[:, None] < k) & (jnp.arange(spectrum.shape[0]) < k))
    gaps = jnp.min(jnp.where(same, jnp.inf, distances), axis=1)
    errors = residuals * jnp.minimum(1, residuals / jnp.maximum(gaps, jnp.finfo(values.dtype).tiny))
    # What rounding leaves cannot be improved: without this a zero eigenvalue would never count as converged.
    errors = jnp.where(norms <= 100 * jnp.finfo(values.dtype).eps * reach, 0, errors)
    return s._replace(values=values, norms=norms, residuals=residuals, errors=errors, defects=defects)


def _scale(values: Float[Array, " k"], reach: Float[Array, ""]) -> Float[Array, ""]:
    """What errors are relative to: the largest wanted |theta|; where that vanishes, a trace of the spectrum's reach."""
    kind = jnp.finfo(values.dtype)
    return jnp.maximum(jnp.max(jnp.abs(values)), jnp.maximum(float(kind.eps) ** 0.5 * reach, kind.tiny))


def _restart(s: _Search, keep: int) -> _Search:
    values, weights = _spectrum(s)
    kept = jnp.where(jnp.arange(s.basis.shape[0]) < keep, weights, 0)
    projected = jnp.diag(jnp.where(jnp.arange(s.basis.shape[0]) < keep, values, 0))
    return s._replace(basis=kept.T @ s.basis, images=kept.T @ s.images, projected=projected, size=jnp.asarray(keep))


def _direction(vector: Array, basis: Array, spare: Array) -> Array:
    """The vector made orthonormal to the basis; the spare one where nothing but rounding would be left of it."""
    left = _across(vector, basis)
    size = jnp.linalg.norm(left)
    # No branch: it would copy the basis. A share of rounding this small still leaves the second pass exact.
    vanished = size <= COLLAPSED * jnp.linalg.norm(vector)
    again = _across(jnp.where(vanished, spare, left / jnp.where(vanished, 1, size)), basis)
    return again / jnp.maximum(jnp.linalg.norm(again), jnp.finfo(again.dtype).tiny)


def _across(vector: Array, basis: Array) -> Array:
    """Its part orthogonal to the rows of the basis."""
    return vector - basis.T @ (basis @ vector)


def _dense(matrix: Float[Array, "n n"], k: int, rows: int) -> Eigenpairs:
    values, columns = jnp.linalg.eigh(matrix)
    vectors = columns.T[::-1][:rows]
    top = values[::-1][:k]
    scale = _scale(top, jnp.max(jnp.abs(values)))
    residuals = jnp.linalg.norm(vectors[:k] @ matrix - top[:, None] * vectors[:k], axis=1) / scale
    following = values[::-1][k] if rows > k else jnp.asarray(-jnp.inf, matrix.dtype)
    return Eigenpairs(top, vectors[:k], residuals, jnp.asarray(matrix.shape[0]), vectors, following)
