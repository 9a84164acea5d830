"""The search for the largest eigenpairs of a symmetric operator, in waves of products.

Block Davidson iteration without preconditioner, restarted thickly: the subspace grows by the residuals of all wanted
pairs that miss the tolerance, one product each, and is then solved again. From a random start this is a block Lanczos
method; from the block found at the last measurement it needs a few products. (Davidson 1975; Stathopoulos, Saad and Wu
1998 for the thick restart.)

Residuals never leave an invariant subspace, so a warm start alone would stay blind to a mode that the operator does not
couple to the tracked ones, however far it rises above them. Every search therefore opens with a fresh random vector
beside its start, and closes with the guards: rows of the block beyond the wanted ones, that follow the modes from which
the next wanted one may come (see `warm_start`).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

Operator = Callable[[Float[Array, " n"]], Float[Array, " n"]]

PROBES = 1
COARSE = 0.05
COLLAPSED = 1e-4
WIDEST = 96
LARGEST_EXACT = 2048


def default_tolerance(dtype) -> float:
    """Relative error of a value that counts as converged: 5e-7 in float64, what rounding leaves in float32 (1e-5)."""
    return max(5e-7, 100 * float(jnp.finfo(dtype).eps))


class Eigenpairs(NamedTuple):
    """values: (k,) descending algebraically (ascending for which="smallest"); vectors: (k, n), rows of norm 1.

    H is the Hessian, or P^-1/2 H P^-1/2 where there is a preconditioner.
    residuals: (k,), r = |H v - theta v| / |theta|, each relative to its own value: theta is within r |theta| of an
    eigenvalue, and within r^2 |theta|^2 / gap of it where the gap to the other eigenvalues is known (Parlett 1980,
    section 11.7). |theta| counts as at least 100 epsilon R, what rounding leaves beside a spectrum that reaches as far
    as R: of a value below that only its size is known, and its r may be large.
    products: Hessian products spent.  block: (b, n) with b >= k, the start of the next, warm search.
    following: the next value as the block shows it, from below and not converged; -inf where the block ends with k.
    converged: whether every value meets the tolerance, or what was asked of it in its place; a residual that is down to
    what rounding leaves, 100 epsilon R, counts as one that does.
    """

    values: Float[Array, " k"]
    vectors: Float[Array, "k n"]
    residuals: Float[Array, " k"]
    products: Int[Array, ""]
    block: Float[Array, "b n"]
    following: Float[Array, ""]
    converged: Bool[Array, ""]


class _Pairs(NamedTuple):
    """Ritz pairs of a block: values, |defect| with the defect H v - theta v, and the estimated errors of the values."""

    values: Float[Array, " b"]
    norms: Float[Array, " b"]
    scales: Float[Array, " b"]
    errors: Float[Array, " b"]


class _Search(NamedTuple):
    """A subspace, what is known from it, and the rows, as many as wait, that are to join it next."""

    basis: Float[Array, "m n"]
    images: Float[Array, "m n"]
    projected: Float[Array, "m m"]
    size: Int[Array, ""]
    products: Int[Array, ""]
    pairs: _Pairs
    queue: Float[Array, "q n"]
    waiting: Int[Array, ""]


class _Answer(NamedTuple):
    pairs: _Pairs
    vectors: Float[Array, "b n"]
    products: Int[Array, ""]
    # Renewed in the loop, or the compiler would compute what depends on them alone before it, always.
    basis: Float[Array, "m n"]
    images: Float[Array, "m n"]


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
    start: rows of zeros at its end are left out: they are room in the answer's block.
    Where n products are allowed, no more are made: a search that has not converged in a space of half the dimension
    (of 96 at most) goes on to the whole space, and is exact.
    """
    block, n = start.shape
    exact = n <= min(max_products, LARGEST_EXACT)
    narrow = min(max(3 * block, 20), n)
    room = min(max(narrow, min(n // 2, WIDEST)), n) if exact else narrow
    most = room if exact else max_products
    stray = stray_vector(start)
    begun = _begin(start, stray, room)
    rows = begun.waiting - PROBES
    # Of k pairs nothing is known before there are as many products.
    least = jnp.maximum(begun.waiting + jnp.maximum(rows - k, 1), k) if block < n else block

    def open_errors(p: _Pairs) -> Float[Array, " k"]:
        values, norms = p.values[:k], p.norms[:k]
        short = (values + norms < beyond) & (norms < COARSE * jnp.max(jnp.abs(values)))
        return jnp.where(short, 0, p.errors[:k])

    def missed(p: _Pairs) -> Bool[Array, ""]:
        return jnp.any(open_errors(p) > tolerance)

    def guard(p: _Pairs) -> Int[Array, ""]:
        """The guard that tells least of what is near it."""
        at = jnp.arange(block)
        return jnp.argmax(jnp.where((at >= min(k, block - 1)) & (at < rows), p.norms, -jnp.inf))

    def unfinished(s: _Search) -> Bool[Array, ""]:
        return ((s.products < least) | missed(s.pairs)) & (s.products < most)

    def joined(i: Array, s: _Search) -> _Search:
        # Rolled, the stray vector is another one.
        vector = _direction(s.queue[i], s.basis, jnp.roll(stray, s.products))
        # Reading what it has just written, the loop need not copy the basis.
        basis = s.basis.at[s.size].set(vector)
        image = operator(basis[s.size])
        row = basis @ image
        projected = s.projected.at[s.size].set(row).at[:, s.size].set(row)
        images = s.images.at[s.size].set(image)
        return s._replace(basis=basis, images=images, projected=projected, size=s.size + 1, products=s.products + 1)

    def wave(s: _Search) -> _Search:
        count = jnp.minimum(s.waiting, jnp.minimum(room - s.size, most - s.products))
        grown = jax.lax.fori_loop(0, count, joined, s)
        spectrum, weights = _spectrum(grown, narrow)
        used = jnp.arange(room) < grown.size
        pairs, defects = _pairs(spectrum, used, weights.T[:block], grown.basis, grown.images, k, together)
        # The worst of the wanted pairs first: as many join as there is room for.
        errors = open_errors(pairs)
        open_now = errors > tolerance
        order = jnp.argsort(jnp.where(open_now, -errors, jnp.inf))
        first = jnp.where(jnp.any(open_now), order[0], guard(pairs))
        queue = grown.queue.at[:k].set(defects[order.at[0].set(first)])
        return grown._replace(pairs=pairs, queue=queue, waiting=jnp.maximum(jnp.sum(open_now), 1))

    def filled(s: _Search) -> _Search:
        return jax.lax.while_loop(lambda s: unfinished(s) & (s.size < room), wave, s)

    def again(s: _Search) -> _Search:
        # A loop that runs once or never: a branch would copy the whole subspace.
        return jax.lax.while_loop(
            lambda s: unfinished(s) & (s.size >= room), lambda s: _restart(s, keep=(room + block) // 2), filled(s)
        )

    def completed(a: _Answer) -> _Answer:
        """The whole space, from the basis and its complement."""
        rest = jnp.linalg.qr(a.basis[:room].T, mode="complete")[0].T[room:]
        basis = a.basis.at[room:].set(rest)
        images = a.images.at[room:].set(jax.lax.map(operator, rest))
        projected = basis @ images.T
        spectrum, weights = jnp.linalg.eigh((projected + projected.T) / 2)
        chosen = weights.T[::-1][:block]
        pairs, _ = _pairs(spectrum[::-1], jnp.ones(n, bool), chosen, basis, images, k, together)
        return _Answer(pairs, chosen @ basis, jnp.asarray(n), basis, images)

    found = filled(begun) if exact else jax.lax.while_loop(unfinished, again, begun)
    _, weights = _spectrum(found, narrow)
    answer = _Answer(found.pairs, weights.T[:block] @ found.basis, found.products, found.basis, found.images)
    if exact and room < n:
        pad = ((0, n - room), (0, 0))
        answer = answer._replace(basis=jnp.pad(found.basis, pad), images=jnp.pad(found.images, pad))
        # A loop that runs once or never: under vmap a branch would always be computed.
        answer = jax.lax.while_loop(lambda a: missed(a.pairs) & (a.products < n), completed, answer)
    pairs = answer.pairs
    following = pairs.values[k] if block > k else jnp.asarray(-jnp.inf, start.dtype)
    residuals = pairs.norms[:k] / pairs.scales[:k]
    converged = ~missed(pairs) | (answer.products >= n)
    return Eigenpairs(
        pairs.values[:k], answer.vectors[:k], residuals, answer.products, answer.vectors, following, converged
    )


def decomposed(matrix: Float[Array, "n n"], k: int, rows: int) -> Eigenpairs:
    """The pairs of a matrix, exactly, as a search would answer; a product for each row."""
    values, columns = jnp.linalg.eigh(matrix)
    values, basis, chosen = values[::-1], columns.T[::-1], jnp.eye(*matrix.shape, dtype=matrix.dtype)[:rows]
    pairs, _ = _pairs(values, jnp.ones(values.shape, bool), chosen, basis, basis @ matrix, k, together=False)
    following = values[k] if rows > k else jnp.asarray(-jnp.inf, matrix.dtype)
    residuals, made = pairs.norms[:k] / pairs.scales[:k], jnp.asarray(matrix.shape[0])
    return Eigenpairs(values[:k], basis[:k], residuals, made, basis[:rows], following, jnp.asarray(True))


def stray_vector(start: Array, rows: bool = False) -> Float[Array, "*b n"]:
    """A random vector (or rows of them), another one at every measurement: its seed is the rounding of the block."""
    bits = jax.lax.bitcast_convert_type(jnp.sum(start).astype(jnp.float32), jnp.int32)
    return jax.random.normal(jax.random.key(bits), start.shape if rows else start.shape[1:], start.dtype)


def _begin(start: Array, stray: Array, room: int) -> _Search:
    """An empty space, which the rows of the start that are not zero wait to join, and after them the stray vector."""
    (block, n), zero = start.shape, jnp.asarray(0)
    rows = jnp.sum(jnp.any(start != 0, axis=1))
    queue = jnp.zeros((block + PROBES, n), start.dtype).at[:block].set(start).at[rows].set(stray)
    space, none = jnp.zeros((room, n), start.dtype), jnp.zeros(block, start.dtype)
    empty = jnp.zeros((room, room), start.dtype)
    return _Search(space, space, empty, zero, zero, _Pairs(none, none, none, none), queue, rows + PROBES)


def _spectrum(s: _Search, narrow: int) -> tuple[Float[Array, " m"], Float[Array, "m m"]]:
    """Eigenvalues, descending, and eigenvectors of the projected matrix; unused rows are sent to the bottom."""
    room = s.projected.shape[0]
    used = jnp.arange(room) < s.size
    inside = jnp.where(used[:, None] & used[None, :], s.projected, 0)
    bound = jnp.max(jnp.sum(jnp.abs(inside), axis=1))
    below = jnp.where(bound > 0, -2 * bound, -1)
    matrix = inside + jnp.diag(jnp.where(used, 0, below))

    def of_corner() -> tuple[Array, Array]:
        values, weights = jnp.linalg.eigh(matrix[:narrow, :narrow])
        left = room - narrow
        return jnp.pad(values[::-1], (0, left), constant_values=below), jnp.pad(weights[:, ::-1], (0, left))

    def of_all() -> tuple[Array, Array]:
        values, weights = jnp.linalg.eigh(matrix)
        return values[::-1], weights[:, ::-1]

    if narrow == room:
        return of_all()
    return jax.lax.cond(s.size <= narrow, of_corner, of_all)


def _pairs(
    spectrum: Float[Array, " m"],
    used: Bool[Array, " m"],
    weights: Float[Array, "b m"],
    basis: Array,
    images: Array,
    k: int,
    together: bool,
) -> tuple[_Pairs, Float[Array, "b n"]]:
    """What is known of the first pairs of a spectrum, where these parts of it are used, and their defects."""
    block, kind = weights.shape[0], jnp.finfo(spectrum.dtype)
    values = spectrum[:block]
    defects = weights @ images - (values[:, None] * weights) @ basis
    norms = jnp.linalg.norm(defects, axis=1)
    # What rounding leaves cannot be improved: without this a zero eigenvalue would never count as converged. The
    # default tolerance asks for no more than rounding allows of any value, a tighter one for more of the vectors.
    rounding = 100 * float(kind.eps) * jnp.max(jnp.where(used, jnp.abs(spectrum), 0))
    scales = jnp.maximum(jnp.maximum(jnp.abs(values), rounding), float(kind.tiny))
    same = jnp.eye(block, spectrum.shape[0], dtype=bool)
    if together:
        same = same | ((jnp.arange(block)[:, None] < k) & (jnp.arange(spectrum.shape[0]) < k))
    gaps = jnp.min(jnp.where(same, jnp.inf, jnp.abs(values[:, None] - spectrum[None, :])), axis=1)
    errors = norms * jnp.minimum(1, norms / jnp.maximum(gaps, float(kind.tiny)))
    errors = errors / jnp.maximum(scales, rounding / default_tolerance(spectrum.dtype))
    errors = jnp.where(norms <= rounding, 0, errors)
    return _Pairs(values, norms, scales, errors), defects


def _restart(s: _Search, keep: int) -> _Search:
    room = s.basis.shape[0]
    values, weights = _spectrum(s, room)
    kept = jnp.where(jnp.arange(room) < keep, weights, 0)
    projected = jnp.diag(jnp.where(jnp.arange(room) < keep, values, 0))
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
