"""Several starts of one loss in a single run."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..problem import Loss, Params


class SideBySide(eqx.Module):
    """L(w) = sum_b loss(w_b) over the leading axis of every leaf of w.

    The b share no parameters, so that a method or a flow moves each of them as it would alone: one run, compiled once,
    for many starts. What an adaptive solver bounds is then the error of them all together.
    Raises ValueError where the leaves have different leading axes, or none.
    """

    loss: Loss

    def __call__(self, params: Params) -> Float[Array, ""]:
        return jnp.sum(self.each(self.loss)(params))

    def each(self, measure: Any) -> Any:
        """params -> measure(w_b) for every b, stacked: an observable of one made into one of all."""
        return lambda params: jax.vmap(measure)(_checked(params))


def _checked(params: Params) -> Params:
    shapes = [jnp.shape(leaf) for leaf in jax.tree.leaves(params)]
    if len({shape[:1] for shape in shapes}) != 1 or not all(shapes):
        raise ValueError(f"`params` of SideBySide must have one leading axis of the same length, got shapes {shapes}.")
    return params
