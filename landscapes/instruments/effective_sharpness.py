"""Sharpness in the metric of an adaptive method."""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..curvature import warm_start
from ..curvature.eigenpairs import check_precision, inverse_root, top_eigenpairs
from ..curvature.warm_start import Track
from ..problem import Loss, count
from .moment import Moment
from .observable import Observable
from .reading import Reading
from .sharpness import eigenvalues_of


class Tracked(NamedTuple):
    """What the last searches found, and the P^-1/2 of the last one on flattened params."""

    track: Track
    scale: Float[Array, " n"]


class EffectiveSharpness(Observable):
    """The k largest eigenvalues of P^-1/2 H P^-1/2, H the Hessian of loss and P the preconditioner of the run.

    A step x <- x - h P^-1 grad L(x) is unstable on a quadratic where they exceed 2/h, and RMSProp goes to that edge
    (Cohen, Damian et al. 2025). P at x_n is that of the step that leaves x_n. For a method without preconditioner this
    is `Sharpness`, and it measures what that does: `value` (k,) descending, in units of 1/h; `residual` (k,);
    `hessian_products` (). tolerance, max_products, precision: of the search, see `top_eigenpairs`.
    """

    loss: Loss
    k: int = eqx.field(static=True, default=1)
    tolerance: float | None = eqx.field(static=True, default=None)
    max_products: int = eqx.field(static=True, default=500)
    precision: str | None = eqx.field(static=True, default=None)

    def __check_init__(self):
        check_precision(self.precision)
        if self.k < 1:
            raise ValueError(f"`EffectiveSharpness(k=...)` must be at least 1, got {self.k}.")

    def init(self, moment: Moment) -> Tracked:
        track = warm_start.begin(moment.params, self.k)
        return Tracked(track, jnp.ones(count(moment.params), track.block.dtype))

    def measure(self, moment: Moment, carry: Tracked) -> tuple[Reading, Tracked]:
        preconditioner = moment.preconditioner
        pairs = top_eigenpairs(
            self.loss,
            moment.params,
            self.k,
            block=warm_start.guess(carry.track),
            tolerance=self.tolerance,
            max_products=self.max_products,
            precision=self.precision,
            preconditioner=preconditioner,
        )
        scale = inverse_root(preconditioner, moment.params)
        return eigenvalues_of(pairs, "1 / learning rate"), Tracked(warm_start.followed(carry.track, pairs), scale)

    def eigenvectors(self, carry: Tracked) -> Float[Array, "k n"]:
        """Unit vectors along u = P^-1/2 v, the directions in which the method oscillates: P^-1 H u = theta u.

        They are orthogonal in the metric of P alone.
        """
        rows = carry.track.block[: self.k] * carry.scale
        return rows / jnp.linalg.norm(rows, axis=1, keepdims=True)
