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
        dtype = jnp.result_type(leaf)
        if not jnp.issubdtype(dtype, jnp.floating):
            raise ValueError(
                f"`params` must hold real floating-point arrays, got dtype {dtype}; convert with jnp.asarray(x, float)."
            )
        if not bool(jnp.all(jnp.isfinite(leaf))):
            raise ValueError("`params` must be finite at the start, got NaN or infinity; pass another starting point.")
    shape = jax.eval_shape(lambda p: loss(p), params)
    if getattr(shape, "shape", None) != ():
        found = getattr(shape, "shape", type(shape).__name__)
        raise ValueError(f"`loss(params)` must be a scalar (shape ()), got {found}; reduce it, e.g. with jnp.mean.")
    value = float(_value(loss, params))
    if not np.isfinite(value):
        raise ValueError(f"`loss(params)` must be finite at the start, got {value}; pass another starting point.")
