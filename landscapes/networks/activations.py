"""Activation functions by name."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array

from ..named import unknown

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    # As in PyTorch; jax.nn.gelu is the approximation unless told otherwise.
    "gelu": functools.partial(jax.nn.gelu, approximate=False),
    "gelu-tanh": jax.nn.gelu,
    "elu": jax.nn.elu,
    "swish": jax.nn.swish,
    "softplus": jax.nn.softplus,
    "identity": lambda x: x,
}


def activation_named(name: str) -> Callable[[Array], Array]:
    """The activation function of that name; ValueError names the nearest ones otherwise."""
    if name not in ACTIVATIONS:
        raise unknown("activation", name, ACTIVATIONS)
    return ACTIVATIONS[name]
