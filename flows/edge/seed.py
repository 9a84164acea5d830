"""What an oscillation at the edge grows from: rounding, or a swing that the run has at its start."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from landscapes import Params

ROUNDING = 1e-16


def check_noise(noise: Any) -> None:
    """ValueError unless it is traced or a number from 0."""
    if isinstance(noise, int | float) and not (np.isfinite(noise) and noise >= 0):
        raise ValueError(f"`noise` must be a number from 0, got {noise}; {ROUNDING} is the rounding of float64.")


def typed_swing(swing: Params, params: Params) -> Params:
    """The swing in the dtypes of the params; ValueError unless it has their shapes."""
    shapes, wanted = (jax.tree.map(jnp.shape, tree) for tree in (swing, params))
    if shapes != wanted:
        raise ValueError(f"`swing` must have the shapes of the params, {wanted}, got {shapes}.")
    return jax.tree.map(lambda r, x: jnp.asarray(r, x.dtype), swing, params)
