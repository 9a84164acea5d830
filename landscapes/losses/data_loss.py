"""Losses over data: the mean over examples of a criterion of a model's outputs, in micro-batches when asked."""

import dataclasses
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float, Inexact

from ..problem import Loss, Params
from .criteria import are_labels


class DataLoss(eqx.Module):
    """L(w) = 1/N sum_i criterion(model(w, x_i), y_i) + ridge/2 |w|^2.

    model: (params, inputs) -> outputs (examples, ...).  inputs: (examples, ...); targets: (examples, ...), of the rank
    that the criterion takes: numbers, class labels, one-hot rows, sequences, images.
    criterion: (outputs, targets) -> (examples,).
    micro_batch: number of examples that pass through the model at once; None takes all. With it, the memory of
    gradients and Hessian products no longer grows with the number of examples; the value is the same.
    """

    model: Callable[[Params, Array], Array]
    criterion: Callable[[Array, Array], Array] = eqx.field(static=True)
    inputs: Array
    targets: Array
    ridge: float = eqx.field(static=True, default=0.0)
    micro_batch: int | None = eqx.field(static=True, default=None)

    def __check_init__(self):
        if self.micro_batch is not None and self.micro_batch < 1:
            raise ValueError(f"`micro_batch` must be at least 1, got {self.micro_batch}; None takes all examples.")
        shapes = np.shape(self.inputs), np.shape(self.targets)
        if not all(shapes) or shapes[0][0] != shapes[1][0] or not shapes[0][0]:
            raise ValueError(
                f"`targets` must have shape (examples, ...), as many examples as inputs and at least one, "
                f"got {shapes[1]} for inputs {shapes[0]}."
            )

    def __call__(self, params: Params) -> Inexact[Array, ""]:
        return self._ridged(self._total(params) / self.inputs.shape[0], params)

    @property
    def examples(self) -> int:
        """N, the number of examples."""
        return self.inputs.shape[0]

    def on(self, indices: Any) -> "DataLoss":
        """The loss of the examples with these indices alone, their mean, with the same ridge: that of a mini-batch.

        indices: (batch,) integers in [-N, N), also traced; an example that is named twice counts twice. Over uniform
        draws the mean of on(indices)(w) is L(w). Raises ValueError on others; where they are traced, examples that
        there are not are NaN.
        """
        indices = _checked(indices, self.examples)
        inputs, targets = (jnp.asarray(a).at[indices].get(mode="fill") for a in (self.inputs, self.targets))
        return dataclasses.replace(self, inputs=inputs, targets=targets)

    def per_example(self, params: Params) -> Inexact[Array, " examples"]:
        """criterion(model(w, x_i), y_i) + ridge/2 |w|^2 of every example i, whose mean is L(w); in micro-batches."""
        one = self._of_batch(params, self._values)
        split = self._split()
        if split is None:
            return self._ridged(one((self.inputs, self.targets)), params)
        batches, last = split
        values = jax.lax.map(one, batches).reshape(-1)
        return self._ridged(jnp.concatenate([values, one(last)]), params)

    def predict(self, params: Params) -> Inexact[Array, "examples ..."]:
        """Outputs of the model on the training inputs."""
        return self.model(params, self.inputs)

    def accuracy(self, params: Params) -> Float[Array, ""]:
        """Fraction of targets that agree with the largest output (with its sign, where there is a single output)."""
        outputs = self.predict(params)
        if are_labels(outputs, self.targets):
            return jnp.mean(jnp.argmax(outputs, axis=-1) == self.targets)
        if outputs.ndim == 1 or outputs.shape[-1] == 1:
            return jnp.mean(jnp.sign(outputs) == self.targets)
        return jnp.mean(jnp.argmax(outputs, axis=-1) == jnp.argmax(self.targets, axis=-1))

    def _total(self, params: Params) -> Inexact[Array, ""]:
        split = self._split()
        if split is None:
            return jnp.sum(self._values(params, self.inputs, self.targets))
        batches, last = split
        one = self._of_batch(params, lambda *batch: jnp.sum(self._values(*batch)))
        return jax.lax.scan(lambda acc, batch: (acc + one(batch), None), one(last), batches)[0]

    def _split(self) -> tuple[tuple[Array, Array], tuple[Array, Array]] | None:
        """Micro-batches along a new first axis, and what is left for the last one; None where all go at once."""
        size = self.micro_batch
        if size is None or size >= self.examples:
            return None
        whole = (self.examples - 1) // size * size  # what is left for the last batch is never empty
        data = (self.inputs, self.targets)
        batches = jax.tree.map(lambda a: a[:whole].reshape(whole // size, size, *a.shape[1:]), data)
        return batches, (self.inputs[whole:], self.targets[whole:])

    def _of_batch(self, params: Params, values: Callable[..., Array]) -> Callable[[tuple[Array, Array]], Array]:
        # Without the checkpoint reverse mode would keep every micro-batch's activations, and nothing would be saved.
        return jax.checkpoint(lambda batch: values(params, *batch))

    def _values(self, params: Params, inputs: Array, targets: Array) -> Inexact[Array, " examples"]:
        values = self.criterion(self.model(params, inputs), targets)
        if np.shape(values) != inputs.shape[:1]:
            raise ValueError(
                f"`criterion` must return one number per example, shape {inputs.shape[:1]}, got {np.shape(values)}; "
                "sum or average over the other axes, and not over the examples."
            )
        return values

    def _ridged(self, values: Array, params: Params) -> Array:
        if self.ridge:
            return values + 0.5 * self.ridge * sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(params))
        return values


@runtime_checkable
class OverExamples(Protocol):
    """What a loss must have for mini-batches to be drawn of it, as `DataLoss` has: a mean over `examples` examples."""

    @property
    def examples(self) -> int:
        """The number of examples."""
        ...

    def on(self, indices: Any) -> Loss:
        """The mean over the examples with these indices."""
        ...

    def per_example(self, params: Params) -> Array:
        """The losses of the examples, (examples,)."""
        ...


def over_examples(loss: Loss) -> OverExamples:
    """The loss, if it is a mean over examples that can be sampled; ValueError for one that is not, a plain function."""
    if not isinstance(loss, OverExamples):
        name = getattr(loss, "__name__", type(loss).__name__)
        raise ValueError(
            f"`loss` {name} cannot be sampled: it does not say of which examples it is the mean; "
            "pass a landscapes.DataLoss, or an object with `examples`, `on(indices)` and `per_example(params)`."
        )
    return loss


def _checked(indices: Any, examples: int) -> Array:
    found = indices if isinstance(indices, jax.Array) else np.asarray(indices)
    if found.ndim != 1 or not found.size or not jnp.issubdtype(found.dtype, jnp.integer):
        raise ValueError(
            f"`indices` must be one or more integers of shape (batch,), got shape {found.shape} of dtype "
            f"{found.dtype}; take those of a mask with jnp.flatnonzero."
        )
    if not isinstance(found, Tracer):
        known = np.asarray(found)  # numpy's, as jax would trace even what is known
        least, largest = int(known.min()), int(known.max())
        if least < -examples or largest >= examples:
            raise ValueError(
                f"`indices` must lie in [-{examples}, {examples}), the loss has {examples} examples, got {least} to "
                f"{largest}."
            )
    return jnp.asarray(found)
