"""The sharpness: the largest eigenvalues of the Hessian, followed along a run."""

import equinox as eqx
from jaxtyping import Array, Float

from ..curvature import warm_start
from ..curvature.eigenpairs import Eigenpairs, check_precision, top_eigenpairs
from ..curvature.warm_start import Track
from ..problem import Loss
from .moment import Moment
from .observable import Observable
from .reading import Reading

SHARPNESS_UNITS = "loss / params^2"


class Sharpness(Observable):
    """The k largest eigenvalues of the Hessian of loss, algebraically (not by magnitude), warm-started.

    Measures `value` (k,) descending, in units of loss / params^2; `residual` (k,), |H v - theta v| / |theta| (see
    Eigenpairs); `hessian_products` (): products spent on this measurement. The data are those of the loss, all of them.
    The limit of a warm start: where the Hessian falls into uncoupled parts, as in an ensemble, a value that rises from
    a part that is not followed may be missed for some samples; every tenth search, or every thirtieth where no parts
    are seen, starts at random and finds it (see `warm_start`).
    tolerance, max_products, precision: of the search, see `top_eigenpairs`.
    """

    loss: Loss
    k: int = eqx.field(static=True, default=1)
    tolerance: float | None = eqx.field(static=True, default=None)
    max_products: int = eqx.field(static=True, default=500)
    precision: str | None = eqx.field(static=True, default=None)

    def __check_init__(self):
        check_precision(self.precision)
        if self.k < 1:
            raise ValueError(f"`Sharpness(k=...)` must be at least 1, got {self.k}.")

    def init(self, moment: Moment) -> Track:
        return warm_start.begin(moment.params, self.k)

    def measure(self, moment: Moment, carry: Track) -> tuple[Reading, Track]:
        pairs = top_eigenpairs(
            self.loss,
            moment.params,
            self.k,
            block=warm_start.guess(carry),
            tolerance=self.tolerance,
            max_products=self.max_products,
            precision=self.precision,
        )
        return eigenvalues_of(pairs, SHARPNESS_UNITS), warm_start.followed(carry, pairs)

    def eigenvectors(self, carry: Track) -> Float[Array, "k n"]:
        """Unit eigenvectors found at the last measurement, on flattened params."""
        return carry.block[: self.k]


def eigenvalues_of(pairs: Eigenpairs, units: str) -> Reading:
    """A reading of eigenvalues, with their accuracy and their price."""
    return Reading(pairs.values, units, {"residual": pairs.residuals}, hessian_products=pairs.products)
