"""How far a flow is from its method, sample by sample."""

import equinox as eqx
import numpy as np
from jaxtyping import Float, Int

from discrete import Trajectory


class Divergence(eqx.Module):
    """Gaps between a flow X and its method x at the samples both have, leading axis samples.

    distance: |X - x|.  relative_distance: the same over |x - x_0| (0 at the start).
    angle: between X - x_0 and x - x_0, in radians.
    along: (samples, k) |<u_i, X - x>| for the method's top Hessian eigenvectors u_i, across: the length of the rest;
    None unless sharpness is tracked.
    function_distance: root mean over examples of |f_X - f_x|^2, None without predictions.
    loss_gap: |L(X) - L(x)|.  gaps: flow minus method, for every observable.
    """

    steps: Int[np.ndarray, " samples"]
    distance: Float[np.ndarray, " samples"]
    relative_distance: Float[np.ndarray, " samples"]
    angle: Float[np.ndarray, " samples"]
    gaps: dict[str, np.ndarray]
    along: Float[np.ndarray, "samples k"] | None = None
    across: Float[np.ndarray, " samples"] | None = None
    function_distance: Float[np.ndarray, " samples"] | None = None

    @property
    def loss_gap(self) -> Float[np.ndarray, " samples"]:
        """|L(X) - L(x)|."""
        return np.abs(self.gaps["loss"])

    def first_step_beyond(self, tolerance: float) -> int | None:
        """The first sampled step at which the relative distance exceeds the tolerance; None if it never does."""
        beyond = np.flatnonzero(self.relative_distance > tolerance)
        return int(self.steps[beyond[0]]) if beyond.size else None


def divergence_of(method: Trajectory, flow: Trajectory, separation: dict[str, np.ndarray]) -> Divergence:
    """The divergence of a flow from what was measured on both sides."""
    samples = len(flow.steps)
    gaps = {
        name: np.subtract(rows, method.observations[name][:samples], dtype=np.result_type(rows, np.float32))
        for name, rows in flow.values().items()
    }
    travelled = separation["travelled"]
    relative = np.divide(separation["distance"], travelled, out=np.zeros_like(travelled), where=travelled > 0)
    optional = {name: separation.get(name) for name in ("along", "across", "function_distance")}
    return Divergence(flow.steps, separation["distance"], relative, separation["angle"], gaps, **optional)
