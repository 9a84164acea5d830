"""A loss with a starting point: what every run begins from."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PyTree

Params = PyTree[Any]
Loss = Callable[[Params], Any]


class Problem(eqx.Module):
    """A loss, the point where runs start, and a name; with data, also what the model predicts.

    loss: params -> scalar.  params: any pytree of real arrays.
    predict: params -> outputs (examples, outputs), for distances in function space; None without data.
    accuracy: params -> scalar in [0, 1]; None where there is nothing to classify.
    minimum: the smallest loss, where it is known in closed form.
    """

    name: str = eqx.field(static=True)
    loss: Loss
    params: Params
    predict: Callable[[Params], Array] | None = None
    accuracy: Callable[[Params], Any] | None = None
    minimum: float | None = None

    @property
    def dimension(self) -> int:
        """Number of real parameters."""
        return count(self.params)


def count(params: Params) -> int:
    """Number of real parameters in a pytree."""
    return sum(int(np.size(leaf)) for leaf in jax.tree.leaves(params))


@eqx.filter_jit
def _value(loss: Loss, params: Params) -> Any:
    return loss(params)


def check_start(loss: Loss, params: Params) -> None:
    """Raise ValueError unless params are real floating-point arrays and the loss at them is one finite number."""
    leaves = jax.tree.leaves(params)
    if not leaves:
        raise ValueError("`params` holds no arrays; pass a pytree with at least one floating-point array.")
    for leaf in leaves:
        if not _is_real(leaf):
            found = f"dtype {leaf.dtype}" if hasattr(leaf, "dtype") else repr(leaf)
            raise ValueError(
                f"`params` must hold real floating-point arrays, got {found}; convert with jnp.asarray(x, float)."
            )
        if not bool(jnp.all(jnp.isfinite(leaf))):
            raise ValueError("`params` must be finite at the start, got NaN or infinity; pass another starting point.")
    result = jax.eval_shape(lambda p: loss(p), params)
    shape = getattr(result, "shape", type(result).__name__)
    if shape != ():
        raise ValueError(f"`loss(params)` must be a scalar (shape ()), got {shape}; reduce it, e.g. with jnp.mean.")
    if not _is_real(result):
        raise ValueError(f"`loss(params)` must be a real floating-point number, got dtype {result.dtype}.")
    value = float(_value(loss, params))
    if not np.isfinite(value):
        raise ValueError(f"`loss(params)` must be finite at the start, got {value}; pass another starting point.")


def _is_real(leaf: Any) -> bool:
    try:
        return bool(jnp.issubdtype(jnp.result_type(leaf), jnp.floating))
    except TypeError:  # no number at all, such as an activation function inside a model
        return False
