"""What a run does to its gradient along the sharpest directions from one sample to the next."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from ..curvature import warm_start
from ..curvature.eigenpairs import top_eigenpairs
from ..curvature.warm_start import Track
from ..problem import Loss, Params
from .observables import Measurement, Observable


class Amplification(Observable):
    """(g_new . u) / (g . u) for each of the k top eigenvectors u of the Hessian at the last sample, g = grad L there.

    Measures `value` (k,), NaN at the first sample; `curvature` (k,), the eigenvalues l at this one, descending. On a
    quadratic, from step to step of gradient descent: 1 - h l, with the l of the sample before.
    """

    loss: Loss
    k: int = eqx.field(static=True, default=1)

    def init(self, params: Params) -> tuple[Track, Float[Array, " k"]]:
        track = warm_start.begin(params, self.k)
        return track, jnp.full(self.k, jnp.nan, track.block.dtype)

    def measure(self, params: Params, carry: Any) -> tuple[Measurement, Any]:
        track, slopes = carry
        gradient = ravel_pytree(jax.grad(self.loss)(params))[0]
        pairs = top_eigenpairs(self.loss, params, self.k, block=warm_start.guess(track))
        measured = {"value": track.block[: self.k] @ gradient / slopes, "curvature": pairs.values}
        renewed = warm_start.followed(track, pairs)
        return measured, (renewed, renewed.block[: self.k] @ gradient)
