"""Losses over data: the mean over examples of a criterion of a model's outputs, in micro-batches when asked."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Inexact

from ..named import unknown
from ..problem import Params


def half_squared_error(outputs: Array, targets: Array) -> Inexact[Array, " examples"]:
    """1/2 sum over outputs of (f - y)^2, one number per example (the convention of Cohen et al. 2021)."""
    return 0.5 * jnp.sum((outputs - targets) ** 2, axis=-1)


def cross_entropy(outputs: Array, targets: Array) -> Inexact[Array, " examples"]:
    """-sum over classes of y log softmax(f), one number per example; targets are one-hot rows."""
    return -jnp.sum(targets * jax.nn.log_softmax(outputs), axis=-1)


def logistic(outputs: Array, targets: Array) -> Inexact[Array, " examples"]:
    """log(1 + exp(-y f)), one number per example; targets are +-1 with shape (examples, 1)."""
    return jnp.sum(jax.nn.softplus(-targets * outputs), axis=-1)


CRITERIA = {"mse": half_squared_error, "cross-entropy": cross_entropy}


def criterion_named(name: str) -> Callable[[Array, Array], Array]:
    """The criterion of that name; ValueError names the nearest one otherwise."""
    if name not in CRITERIA:
        raise unknown("criterion", name, CRITERIA)
    return CRITERIA[name]


class DataLoss(eqx.Module):
    """L(w) = 1/N sum_i criterion(model(w, x_i), y_i) + ridge/2 |w|^2.

    model: (params, inputs) -> outputs (examples, outputs).  inputs: (examples, ...); targets: (examples, outputs).
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
        if self.targets.ndim != 2 or self.targets.shape[0] != self.inputs.shape[0]:
            shapes = f"{self.targets.shape} for inputs {self.inputs.shape}"  # broadcasting would make it another loss
            raise ValueError(
                f"`targets` must have shape (examples, outputs), as many examples as inputs, got {shapes}."
            )

    def __call__(self, params: Params) -> Inexact[Array, ""]:
        total = self._total(params) / self.inputs.shape[0]
        if self.ridge:
            total = total + 0.5 * self.ridge * sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(params))
        return total

    def predict(self, params: Params) -> Inexact[Array, "examples outputs"]:
        """Outputs of the model on the training inputs."""
        return self.model(params, self.inputs)

    def accuracy(self, params: Params) -> Float[Array, ""]:
        """Fraction of examples whose largest output (or sign, for one output) agrees with the target."""
        outputs = self.predict(params)
        if outputs.shape[-1] == 1:
            return jnp.mean(jnp.sign(outputs) == self.targets)
        return jnp.mean(jnp.argmax(outputs, axis=-1) == jnp.argmax(self.targets, axis=-1))

    def _total(self, params: Params) -> Inexact[Array, ""]:
        examples = self.inputs.shape[0]
        size = self.micro_batch
        if size is None or size >= examples:
            return self._sum(params, self.inputs, self.targets)
        whole = (examples - 1) // size * size  # what is left for the last batch is never empty
        batches = jax.tree.map(
            lambda a: a[:whole].reshape(whole // size, size, *a.shape[1:]), (self.inputs, self.targets)
        )
        # Without the checkpoint reverse mode would keep every micro-batch's activations, and nothing would be saved.
        one = jax.checkpoint(lambda batch: self._sum(params, *batch))
        total = one((self.inputs[whole:], self.targets[whole:]))
        return jax.lax.scan(lambda acc, batch: (acc + one(batch), None), total, batches)[0]

    def _sum(self, params: Params, inputs: Array, targets: Array) -> Inexact[Array, ""]:
        return jnp.sum(self.criterion(self.model(params, inputs), targets))
