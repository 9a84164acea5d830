"""Criteria: what one example's outputs cost against its target, one number per example.

Outputs and targets have examples on their first axis and any number of axes after it; what stands there (pixels,
positions of a sequence) is summed. Shapes must agree: broadcasting would make it another loss.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Inexact

from ..named import unknown


def half_squared_error(outputs: Array, targets: Array) -> Inexact[Array, " examples"]:
    """1/2 sum over outputs of (f - y)^2, one number per example (the convention of Cohen et al. 2021)."""
    _check_alike(outputs, targets)
    return 0.5 * _summed((outputs - targets) ** 2)


def cross_entropy(outputs: Array, targets: Array) -> Inexact[Array, " examples"]:
    """-sum over classes of y log softmax(f), one number per example.

    outputs: (examples, ..., classes).  targets: of the same shape, one-hot or any probabilities; or integer labels
    0 ... classes - 1, (examples, ...). Raises ValueError on other labels; where they are traced they give NaN.
    """
    logarithms = jax.nn.log_softmax(outputs, axis=-1)
    if not are_labels(outputs, targets):
        _check_alike(outputs, targets, or_labels=True)
        return -_summed(targets * logarithms)
    classes = outputs.shape[-1]
    _check_labels(targets, classes)
    picked = jnp.take_along_axis(logarithms, jnp.clip(targets, 0, classes - 1)[..., None], axis=-1)[..., 0]
    return -_summed(jnp.where((targets >= 0) & (targets < classes), picked, jnp.nan))


def logistic(outputs: Array, targets: Array) -> Inexact[Array, " examples"]:
    """log(1 + exp(-y f)), one number per example; targets are +-1 with the shape of the outputs, as (examples, 1)."""
    _check_alike(outputs, targets)
    return _summed(jax.nn.softplus(-targets * outputs))


CRITERIA = {"mse": half_squared_error, "cross-entropy": cross_entropy}


def criterion_named(name: str) -> Callable[[Array, Array], Array]:
    """The criterion of that name; ValueError names the nearest one otherwise."""
    if name not in CRITERIA:
        raise unknown("criterion", name, CRITERIA)
    return CRITERIA[name]


def are_labels(outputs: Array, targets: Array) -> bool:
    """Whether the targets are integer class labels: one axis less than the outputs, whose last one is the classes."""
    return targets.shape == outputs.shape[:-1] and jnp.issubdtype(targets.dtype, jnp.integer)


def _summed(values: Array) -> Array:
    return jnp.sum(values, axis=tuple(range(1, values.ndim)))


def _check_alike(outputs: Array, targets: Array, *, or_labels: bool = False) -> None:
    if outputs.shape != targets.shape:
        labels = f", or be integer labels of shape {outputs.shape[:-1]}" * or_labels
        raise ValueError(
            f"`targets` must have the shape of the model's outputs, {outputs.shape}{labels}, "
            f"got {targets.shape} of dtype {targets.dtype}; reshape them, e.g. targets[:, None]."
        )


def _check_labels(targets: Array, classes: int) -> None:
    if isinstance(targets, Tracer):
        return
    known = np.asarray(targets)  # numpy's, as jax would trace even what is known
    least, largest = int(known.min()), int(known.max())
    if least < 0 or largest >= classes:
        raise ValueError(
            f"`targets` must be labels from 0 to {classes - 1}, as the model has {classes} outputs, got labels from "
            f"{least} to {largest}; renumber them or give the model more outputs."
        )
