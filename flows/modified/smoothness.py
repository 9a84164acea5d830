"""Whether a loss bends at all beyond its Hessian: the terms of a modified equation from order 3 on need it to."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from landscapes import Loss, Params, third_derivative

PROBES = 3


def third_derivative_vanishes(loss: Loss, params: Params) -> bool:
    """Whether grad^3 L[v, v] is exactly zero at params and beside it, for random v.

    True of a quadratic, where the modified equation holds with powers of the Hessian alone, and of a loss that is
    quadratic in pieces, such as one relu layer under the square loss, where automatic differentiation knows nothing of
    the kinks and no order above 1 is claimed across them.
    """
    return bool(_largest(loss, jax.tree.map(jnp.asarray, params)) == 0)


@eqx.filter_jit
def _largest(loss: Loss, params: Params) -> jax.Array:
    flat, unravel = ravel_pytree(params)

    def bend(key: jax.Array) -> jax.Array:
        first, second = jax.random.split(key)
        v = jax.random.normal(first, flat.shape, flat.dtype)
        point = flat + 0.1 * jax.random.normal(second, flat.shape, flat.dtype)
        return jnp.max(jnp.abs(third_derivative(lambda x: loss(unravel(x)), point, v, v)))

    return jnp.max(jax.lax.map(bend, jax.random.split(jax.random.key(0), PROBES)))
