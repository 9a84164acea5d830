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
from ..problem import Loss
from .moment import Moment
from .observable import Observable
from .reading import Reading


class Amplification(Observable):
    """(g_new . u) / (g . u) for each of the k top eigenvectors u of the Hessian at the last sample, g = grad L there.

    Measures `value` (k,), NaN at the first sample; `curvature` (k,), the eigenvalues l at this one, descending. On a
    quadratic, from step to step of gradient descent: 1 - h l, with the l of the sample before.
    """

    loss: Loss
    k: int = eqx.field(static=True, default=1)

    def init(self, moment: Moment) -> tuple[Track, Float[Array, " k"]]:
        track = warm_start.begin(moment.params, self.k)
        return track, jnp.full(self.k, jnp.nan, track.block.dtype)

    def measure(self, moment: Moment, carry: Any) -> tuple[Reading, Any]:
        track, slopes = carry
        gradient = ravel_pytree(jax.grad(self.loss)(moment.params))[0]
        pairs = top_eigenpairs(self.loss, moment.params, self.k, block=warm_start.guess(track))
        quantities = {"value": track.block[: self.k] @ gradient / slopes, "curvature": pairs.values}
        reading = Reading(quantities, "1", gradients=1, hessian_products=pairs.products)
        renewed = warm_start.followed(track, pairs)
        return reading, (renewed, renewed.block[: self.k] @ gradient)
