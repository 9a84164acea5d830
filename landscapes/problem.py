"""A loss with a starting point: what every run begins from."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
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
    test_loss, test_accuracy: params -> scalar, on examples that are not trained on; None where there are none.
    """

    name: str = eqx.field(static=True)
    loss: Loss
    params: Params
    predict: Callable[[Params], Array] | None = None
    accuracy: Callable[[Params], Any] | None = None
    minimum: float | None = None
    test_loss: Loss | None = None
    test_accuracy: Callable[[Params], Any] | None = None

    @classmethod
    def on_data(cls, name: str, loss: Any, params: Params, *, test: Any = None) -> "Problem":
        """A problem of classification on a `DataLoss`, and on another one of test examples where they are given."""
        return cls(
            name,
            loss,
            params,
            predict=loss.predict,
            accuracy=loss.accuracy,
            test_loss=test,
            test_accuracy=None if test is None else test.accuracy,
        )

    @property
    def dimension(self) -> int:
        """Number of real parameters."""
        return count(self.params)


def count(params: Params) -> int:
    """Number of real parameters in a pytree."""
    return sum(int(np.size(leaf)) for leaf in jax.tree.leaves(params))
