"""From what follows everything that is drawn along a run."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

SMALLEST, LARGEST = -(2**63), 2**63 - 1


def as_key(key: Any, name: str = "key") -> Array:
    """A key of JAX from a whole number or a key; ValueError from anything else, which says of what name it is."""
    if isinstance(key, np.ndarray | jax.Array) and not key.shape and jnp.issubdtype(key.dtype, jnp.integer):
        key = int(key)
    if isinstance(key, int | np.integer) and not isinstance(key, bool) and SMALLEST <= key <= LARGEST:
        return jax.random.key(int(key))
    if isinstance(key, jax.Array):
        if jnp.issubdtype(key.dtype, jax.dtypes.prng_key) and not key.shape:
            return key
        # As jax.random.PRNGKey makes them.
        if key.dtype == jnp.uint32 and key.shape == jax.random.key_data(jax.random.key(0)).shape:
            return jax.random.wrap_key_data(key)
    raise ValueError(f"`{name}` must be a whole number of 64 bits or one key of jax.random.key, got {key!r}.")
