"""Products with the Hessian of a loss on a pytree of parameters, never forming the matrix."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from ..problem import Loss, Params
from .directional import along, goes_forward

DENSE_BATCH = 64


def gradient_and_product(loss: Loss, params: Params, vector: Params) -> tuple[Params, Params]:
    """grad L(w) and H(w) v, forward over reverse (see `along`); both shaped like params."""
    return along(jax.grad(loss), (params,), (vector,), symmetric=True)


def hessian_operator(loss: Loss, params: Params) -> Callable[[Float[Array, " n"]], Float[Array, " n"]]:
    """v -> H(w) v on flat vectors, forward over reverse: one product costs about 1.6 gradients.

    Reverse over reverse where a `jax.custom_vjp` in the loss has no forward rule: about 2 gradients.
    In a loop the compiler computes what depends on w alone once (measured: faster than jax.linearize, and leaner).
    """
    flat, unravel = ravel_pytree(params)
    gradient = jax.grad(lambda w: loss(unravel(w)))
    forward = goes_forward(gradient, flat)
    return lambda v: along(gradient, (flat,), (v,), forward=forward, symmetric=True)[1]


def third_derivative(loss: Loss, params: Params, u: Params, v: Params) -> Params:
    """T(w)[u, v], the gradient of u'H(w)v with u and v held fixed, shaped like params; about 4 gradients."""

    forward = goes_forward(jax.grad(loss), params)

    def product(point: Params) -> Params:
        return along(jax.grad(loss), (point,), (u,), forward=forward, symmetric=True)[1]

    # T(w)[u, .] is symmetric too.
    return along(product, (params,), (v,), forward=forward, symmetric=True)[1]


def dense_hessian(loss: Loss, params: Params) -> Float[Array, "n n"]:
    """The full Hessian, symmetrized; n products. For small problems and for tests."""
    flat, _ = ravel_pytree(params)
    identity = jnp.eye(flat.shape[0], dtype=flat.dtype)
    matrix = jax.lax.map(hessian_operator(loss, params), identity, batch_size=DENSE_BATCH)
    return (matrix + matrix.T) / 2
