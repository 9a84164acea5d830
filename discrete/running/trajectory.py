"""What comes back from a run, the same from a method and from a flow."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Float, Int

from landscapes import Column, Params

from .status import Status


class Cost(NamedTuple):
    """Work of one side of a run.

    gradients, hessian_products: spent by the method or the flow itself; None where the solver does not say (implicit).
    measuring_gradients, measuring_products: spent by the instruments, and by what they ask the run for, at samples and
    between them; a plain function of params does not say.
    solver_steps: of the ODE solver, rejected included.
    seconds: wall time, compilation of a first call included; those of sides that move at once overlap.
    """

    gradients: int | None = 0
    hessian_products: int | None = 0
    measuring_products: int = 0
    solver_steps: int = 0
    seconds: float = 0.0
    measuring_gradients: int = 0


class Trajectory(eqx.Module):
    """Samples of one run.

    steps: (samples,) step numbers, 0 first.  times: (samples,) in the clock of the method (n h) or of the flow.
    observations: name -> (samples, ...).  columns: what each of them is, by the same names.
    final_params, final_state: at the last sample; of a method that diverged, one step before it did; of a flow whose
    solver gave up, where it did, past the last sample.
    params: pytree with a leading axis of samples, only when asked for.
    predictions: name -> (samples, ...), what a flow says about the iterates beyond its params, such as their loss on
    average over an oscillation ("loss"); empty for a method and for a flow that says nothing more.
    status: "completed", "diverged at step n", or "stopped: ..." with the reason; see `Status` for what it means.
    Nothing is recorded after it.

    Of an ensemble every row has an axis of members after that of the samples, final_params and final_state have one in
    front, times are (samples, members) where members have other learning rates, and cost is that of all.
    member_statuses: how each ended, None for a single run; `status` is that of those that are left, and "stopped" where
    none is. What comes after the end of a member is NaN, whole numbers and booleans then being floats.
    """

    steps: Int[np.ndarray, " samples"]
    times: Float[np.ndarray, "samples *members"]
    observations: dict[str, np.ndarray]
    final_params: Params
    status: Status
    cost: Cost
    params: Params | None = None
    final_state: Any = None
    predictions: dict[str, np.ndarray] = eqx.field(default_factory=dict)
    columns: dict[str, Column] = eqx.field(static=True, default_factory=dict)
    member_statuses: tuple[Status, ...] | None = None

    @property
    def completed(self) -> bool:
        """Whether the run went to its last step."""
        return self.status.kind == "completed"

    @property
    def members(self) -> int | None:
        """How many members the ensemble has; None for a single run."""
        return None if self.member_statuses is None else len(self.member_statuses)

    @property
    def path(self) -> Float[np.ndarray, "samples *members n"]:
        """The kept params, flattened: a row for each sample (and member). ValueError where they were not kept."""
        if self.params is None:
            raise ValueError("`path` needs the params of every sample; run with keep_params=True.")
        leaves = map(np.asarray, jax.tree.leaves(self.params))
        kept = 1 if self.members is None else 2
        return np.concatenate([leaf.reshape(*leaf.shape[:kept], -1) for leaf in leaves], axis=-1)

    def values(self) -> dict[str, np.ndarray]:
        """The observations that are values: neither how good one is nor what it took."""
        return {name: rows for name, rows in self.observations.items() if self._role(name) == "value"}

    def told(self) -> dict[str, np.ndarray]:
        """The observations that are no costs."""
        return {name: rows for name, rows in self.observations.items() if self._role(name) != "cost"}

    def _role(self, name: str) -> str:
        return self.columns[name].role if name in self.columns else "value"
