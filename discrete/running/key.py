"""From what follows everything that is drawn along a run."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array


def as_key(key: Any) -> Array:
    """A key of JAX from a whole number or a key; ValueError from anything else."""
    if isinstance(key, int | np.integer) and not isinstance(key, bool):
        return jax.random.key(int(key))
    if isinstance(key, jax.Array):
        if jnp.issubdtype(key.dtype, jax.dtypes.prng_key):
            return key
        if key.dtype == jnp.uint32:
            return jax.random.wrap_key_data(key)
    raise ValueError(f"`key` must be a whole number or a key of jax.random.key, got {key!r}.")
