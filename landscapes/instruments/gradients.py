"""Norms and angles of gradients, and the norm of the params."""

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from ..problem import Loss, Params
from .moment import Moment
from .observable import Observable
from .reading import Reading


class GradientNorm(Observable):
    """|grad L(w)|, the Euclidean norm over all parameters, in units of loss / params."""

    loss: Loss

    def __call__(self, params: Params) -> Float[Array, ""]:
        return optax.tree.norm(jax.grad(self.loss)(params))

    def measure(self, moment: Moment, carry: None) -> tuple[Reading, None]:
        return Reading(self(moment.params), "loss / params", gradients=1), carry


class GradientCosine(Observable):
    """Cosine between the gradients at successive samples (Xing et al. 2018 with every=1); 1 at the first sample."""

    loss: Loss

    def init(self, moment: Moment) -> Params:
        return jax.grad(self.loss)(moment.params)

    def measure(self, moment: Moment, carry: Params) -> tuple[Reading, Params]:
        gradient = jax.grad(self.loss)(moment.params)
        norms = optax.tree.norm(gradient) * optax.tree.norm(carry)
        cosine = optax.tree.vdot(gradient, carry) / jnp.where(norms > 0, norms, 1)
        return Reading(cosine, "1", gradients=1), gradient


def parameter_norm(params: Params) -> Float[Array, ""]:
    """|w|, the Euclidean norm over all parameters."""
    return optax.tree.norm(params)
