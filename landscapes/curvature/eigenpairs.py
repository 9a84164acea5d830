"""The algebraically largest (or smallest) eigenpairs of a Hessian, tracked along a run from a warm start."""

from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from ..precision import at_least_single, in_precision
from ..problem import Loss, Params, count
from .davidson import Eigenpairs, decomposed, default_tolerance, search
from .hessian import dense_hessian, hessian_operator

GUARDS = 1
DENSE_BELOW = 64


def start_block(params: Params, k: int, seed: int = 0, guards: int = GUARDS) -> Float[Array, "b n"]:
    """Random orthonormal start for k pairs: k + guards rows, the guards show how far the next eigenvalues are."""
    flat, _ = ravel_pytree(at_least_single(params))
    _check_k(params, k)
    rows = min(k + guards, flat.shape[0])
    random = np.random.default_rng(seed).standard_normal((flat.shape[0], rows))
    return jnp.asarray(np.linalg.qr(random)[0].T, dtype=flat.dtype)


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
    precision: str | None = None,
) -> Eigenpairs:
    """The k algebraically largest (smallest) eigenpairs of the Hessian of loss at params.

    block: rows to start from, the `block` of an earlier answer; None starts at random.
    tolerance: on the estimated error of each value relative to itself, min(r, r^2 / gap), with the gap as the search
    space shows it (a cluster narrower than r can pass for one eigenvalue); None: see `default_tolerance`.
    max_products: a pair that misses the tolerance after so many shows its residual in the answer. Where n or more are
    allowed, none misses it: a search that goes on for long forms the whole matrix, and is exact after n products.
    preconditioner: P, not negative, shaped like the params or one number: the eigenpairs are those of P^-1/2 H P^-1/2,
    with unit vectors v; P^-1/2 v are eigenvectors of P^-1 H. Params with P = 0 do not take part.
    together: the space of all k must converge, not each pair: what an equal pair needs, whose vectors are not defined.
    beyond: a value that matters; a pair whose value, its residual added, is short of it needs no more than
    |H v - theta v| < 0.05 max |theta|.
    precision: of the search and of its products, None is that of the params. "float32" takes about half the time on a
    CPU; its rounding leaves values good to about 1e-6 of the largest, and residuals of 1e-5 of it, which count as
    converged whatever the `tolerance`; its default stays that of the params. A loss that holds its data is computed in
    it as well, a plain function with arrays in its closure is not.
    Below 64 parameters the Hessian is formed and decomposed exactly. Raises ValueError on a bad argument.
    """
    if which not in ("largest", "smallest"):
        raise ValueError(f"`which` must be 'largest' or 'smallest', got {which!r}.")
    check_precision(precision)
    _check_k(params, k)
    params = at_least_single(params)
    start = start_block(params, k) if block is None else block
    kind, n = start.dtype, count(params)
    if precision is not None:
        loss, params, start, preconditioner, beyond = in_precision(
            (loss, params, start, preconditioner, beyond), precision
        )
    if start.shape[0] < k or start.shape[1] != n:
        raise ValueError(f"`block` must have at least k = {k} rows of {n} numbers, got shape {start.shape}.")
    sign = 1.0 if which == "largest" else -1.0
    scale = jnp.ones((), start.dtype) if preconditioner is None else inverse_root(preconditioner, params)
    if n < DENSE_BELOW:
        matrix = scale * (scale * dense_hessian(loss, params)).T
        found = decomposed(sign * matrix, k, start.shape[0])
    else:
        if max_products < start.shape[0]:
            raise ValueError(f"`max_products` must be at least the {start.shape[0]} of the start, got {max_products}.")
        product = hessian_operator(loss, params)
        target = default_tolerance(kind) if tolerance is None else tolerance
        found = search(
            lambda v: sign * scale * product(scale * v),
            start,
            k,
            tolerance=target,
            max_products=max_products,
            together=together,
            beyond=-jnp.inf if beyond is None else sign * beyond,
        )
    found = found._replace(values=sign * found.values, following=sign * found.following)
    return found if precision is None else in_precision(found, kind)


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


def _like(value: Any, leaf: Array) -> Array:
    return jnp.broadcast_to(jnp.asarray(value, leaf.dtype), leaf.shape)


def check_precision(precision: str | None) -> None:
    """ValueError unless it is one that a search can have."""
    if precision not in (None, "float32", "float64"):
        raise ValueError(f"`precision` must be 'float32', 'float64' or None, got {precision!r}.")


def _check_k(params: Params, k: int) -> None:
    if not 1 <= k <= count(params):
        raise ValueError(f"`k` must lie between 1 and the number of parameters {count(params)}, got {k}.")
