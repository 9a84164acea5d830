"""How far a flow is from its method, sample by sample."""

import equinox as eqx
import numpy as np
from jaxtyping import Float, Int

from discrete import Trajectory
from discrete.running.ensemble import without_the_ended
from discrete.running.march import LIVING, Marched


class Divergence(eqx.Module):
    """Gaps between a flow X and its method x at the samples both have, leading axis samples (and members).

    distance: |X - x|.  relative_distance: the same over |x - x_0| (0 at the start).
    angle: between X - x_0 and x - x_0, in radians.
    along: (samples, k) |<u_i, X - x>| for the method's top Hessian eigenvectors u_i, across: the length of the rest;
    None unless sharpness is tracked.
    function_distance: root mean over examples of |f_X - f_x|^2, None without predictions.
    loss_gap: |L(X) - L(x)|.  gaps: flow minus method, for every observable.
    """

    steps: Int[np.ndarray, " samples"]
    distance: Float[np.ndarray, "samples *members"]
    relative_distance: Float[np.ndarray, "samples *members"]
    angle: Float[np.ndarray, "samples *members"]
    gaps: dict[str, np.ndarray]
    along: Float[np.ndarray, "samples *members k"] | None = None
    across: Float[np.ndarray, "samples *members"] | None = None
    function_distance: Float[np.ndarray, "samples *members"] | None = None

    @property
    def loss_gap(self) -> Float[np.ndarray, "samples *members"]:
        """|L(X) - L(x)|."""
        return np.abs(self.gaps["loss"])

    def first_step_beyond(self, tolerance: float) -> int | list[int | None] | None:
        """The first sampled step at which the relative distance exceeds the tolerance; None if it never does.

        Of an ensemble, one such answer for each member.
        """
        beyond = self.relative_distance > tolerance
        if beyond.ndim == 1:
            return int(self.steps[np.argmax(beyond)]) if beyond.any() else None
        return [int(self.steps[np.argmax(own)]) if own.any() else None for own in beyond.T]


def separation_of(marched: Marched, name: str) -> dict[str, np.ndarray]:
    """What was measured between a flow and its method; NaN where a member of either has ended."""
    measured = marched.measured(name)
    if LIVING not in measured:
        return measured["separation"]
    return {key: without_the_ended(rows, measured[LIVING]) for key, rows in measured["separation"].items()}


def divergence_of(method: Trajectory, flow: Trajectory, separation: dict[str, np.ndarray]) -> Divergence:
    """The divergence of a flow from what was measured on both sides."""
    samples = len(flow.steps)
    gaps = {
        name: np.subtract(rows, method.observations[name][:samples], dtype=np.result_type(rows, np.float32))
        for name, rows in flow.values().items()
    }
    travelled = separation["travelled"]
    relative = np.divide(separation["distance"], travelled, out=np.zeros_like(travelled), where=travelled != 0)
    optional = {name: separation.get(name) for name in ("along", "across", "function_distance")}
    return Divergence(flow.steps, separation["distance"], relative, separation["angle"], gaps, **optional)
