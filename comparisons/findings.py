"""What a comparison found: both sides' trajectories, their divergence, and where the method's stability ends."""

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import numpy as np

from discrete import Cost, Status, Trajectory

from .divergence.path import Divergence

EFFECTIVE = "effective_sharpness"


class Findings(eqx.Module):
    """A method beside its flows.

    discrete: the method's trajectory.  flows, divergence: by the names given to `compare`.
    orders: what each flow claims, as a power of h.
    threshold: the sharpness above which the method is unstable on a quadratic, or the effective sharpness where that is
    observed (see `limited`); None where there is no constant one, or members of an ensemble have different ones.
    method: name and hyper-parameters; a list where members of an ensemble differ in one.  problem: a name to print.
    solver_errors: by the names of flows, the error of the solver over the distance on the first samples, where it was
    measured (see `Accuracy`).
    notes: what to know before a flow is trusted, by its name: that its series does not converge, why it diverged.
    """

    problem: str
    method: dict[str, Any]
    discrete: Trajectory
    flows: dict[str, Trajectory]
    divergence: dict[str, Divergence]
    orders: dict[str, int | float | None]
    threshold: float | None
    provenance: dict[str, str]
    notes: dict[str, str] = eqx.field(default_factory=dict)
    solver_errors: dict[str, float] = eqx.field(default_factory=dict)

    @property
    def steps(self) -> np.ndarray:
        """Step numbers of the samples."""
        return self.discrete.steps

    @property
    def status(self) -> Status:
        """How the method ended; each flow has a status of its own."""
        return self.discrete.status

    @property
    def members(self) -> int | None:
        """How many members the ensemble has; None for a single run."""
        return self.discrete.members

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended it."""
        return self.status.kind == "interrupted"

    def sharpness(self, side: str | None = None) -> np.ndarray | None:
        """Top Hessian eigenvalue of the method or of the named flow; None unless observed by the name `sharpness`.

        (samples,), or (samples, members) of an ensemble.
        """
        return self._largest("sharpness", side)

    @property
    def limited(self) -> str:
        """The observation that the threshold limits: `effective_sharpness` where observed by that name, `sharpness`."""
        return EFFECTIVE if EFFECTIVE in self.discrete.observations else "sharpness"

    def limited_sharpness(self, side: str | None = None) -> np.ndarray | None:
        """That observation of the method or of the named flow, its largest value; None if there is none."""
        return self._largest(self.limited, side)

    def first_sample_above(self) -> int | None:
        """The first sample at which the method's (effective) sharpness exceeds the threshold.

        Of an ensemble, the first at which the median over the members that are left does.
        """
        sharpness = self.limited_sharpness()
        sharpness = sharpness if sharpness is None or sharpness.ndim == 1 else middle(sharpness)
        if sharpness is None or self.threshold is None:
            return None
        above = np.flatnonzero(sharpness > self.threshold)
        return int(above[0]) if above.size else None

    def summary(self) -> dict[str, Any]:
        """The comparison in numbers, ready for JSON; the layout that scripts rely on. None for what is not finite.

        Of an ensemble each number is a median: over the members that are left of that side or, where none is, over
        all, each to its own end. `members` then says how many there are, diverged, and are left.
        """
        found = {
            "problem": self.problem,
            "method": self.method,
            "steps": int(self.steps[-1]) if len(self.steps) else 0,
            "status": self.status,
            "notes": self.notes,
            "stability": self._stability(),
            "discrete": {name: _ends(rows, self.discrete) for name, rows in _scalars(self.discrete).items()},
            "flows": {name: self._flow_summary(name) for name in self.flows},
            "cost": {
                "discrete": _cost(self.discrete.cost),
                "flows": {name: _cost(flow.cost) for name, flow in self.flows.items()},
            },
        }
        return found | _members(self.discrete)

    def _largest(self, name: str, side: str | None) -> np.ndarray | None:
        found = (self.discrete if side is None else self.flows[side]).observations.get(name)
        return None if found is None else leading(found, self.members)

    def _stability(self) -> dict[str, Any]:
        sharpness, first, limit = self.limited_sharpness(), self.first_sample_above(), self.threshold
        return {
            "of": self.limited,
            "threshold": limit,
            "first_step_above": None if first is None else int(self.steps[first]),
            "fraction_above": None
            if sharpness is None or limit is None
            else _number(sharpness, self.discrete, lambda rows: float(np.mean(rows > limit))),
        }

    def _flow_summary(self, name: str) -> dict[str, Any]:
        flow, apart, first = self.flows[name], self.divergence[name], self.first_sample_above()
        reached = first is not None and first < len(apart.distance)
        found: dict[str, Any] = {"order": self.orders[name], "status": flow.status}
        found["distance"] = _extremes(apart.distance, flow) | {
            "at_threshold": _number(apart.distance[first : first + 1], flow, lambda rows: _plain(rows[0]))
            if reached and first is not None
            else None
        }
        if name in self.solver_errors:
            found["solver_error"] = self.solver_errors[name]
        found["relative_distance"] = _extremes(apart.relative_distance, flow)
        found["loss_gap"] = _extremes(apart.loss_gap, flow)
        if apart.function_distance is not None:
            found["function_distance"] = _extremes(apart.function_distance, flow)
        return found | {key: _ends(rows, flow) for key, rows in _scalars(flow).items()} | _members(flow)


def leading(rows: np.ndarray, members: int | None) -> np.ndarray:
    """One number for each sample (and member): of a vector its first entry, which for sharpness is the largest."""
    kept = 1 if members is None else 2
    return rows.reshape(*rows.shape[:kept], -1)[..., 0]


def middle(rows: np.ndarray, share: float = 0.5) -> np.ndarray:
    """The median, or another quantile, of (samples, members) over the members that are left at each sample."""
    left = ~np.isnan(rows).all(axis=1)
    found = np.full(len(rows), np.nan)
    found[left] = np.nanquantile(rows[left], share, axis=1)
    return found


def _scalars(trajectory: Trajectory) -> dict[str, np.ndarray]:
    """Observations as one number per sample and member."""
    return {name: leading(rows, trajectory.members) for name, rows in trajectory.told().items()}


def _ends(rows: np.ndarray, of: Trajectory) -> dict[str, float | None]:
    return {"initial": _number(rows, of, lambda own: _plain(own[0]))} | _extremes(rows, of)


def _extremes(rows: np.ndarray, of: Trajectory) -> dict[str, float | None]:
    return {
        "final": _number(rows, of, lambda own: _plain(own[-1])),
        "max": _number(rows, of, lambda own: _plain(own.max())),
    }


def _number(rows: np.ndarray, of: Trajectory, told: Callable[[np.ndarray], float | None]) -> float | None:
    """What is told of the rows of a run; of an ensemble the median over its members, see `Comparison.summary`."""
    if of.member_statuses is None:
        return told(rows) if len(rows) else None
    # After its end a member is NaN.
    there = [(own, np.flatnonzero(~np.isnan(own))) for own in rows[:, _counted(of.member_statuses)].T]
    found = [told(own[: where[-1] + 1]) for own, where in there if where.size]
    found = [number for number in found if number is not None]
    return float(np.median(found)) if found else None


def _counted(statuses: Sequence[Status]) -> list[int]:
    """The members that are left, or all of them where none is."""
    left = [i for i, status in enumerate(statuses) if status.kind in ("completed", "interrupted")]
    return left or list(range(len(statuses)))


def _members(trajectory: Trajectory) -> dict[str, dict[str, int]]:
    if trajectory.member_statuses is None:
        return {}
    kinds = [status.kind for status in trajectory.member_statuses]
    left = sum(kind in ("completed", "interrupted") for kind in kinds)
    return {"members": {"count": len(kinds), "diverged": kinds.count("diverged"), "left": left}}


def _plain(value: np.number) -> float | None:
    """JSON knows neither NaN nor infinity."""
    return float(value) if np.isfinite(value) else None


def _cost(cost: Cost) -> dict[str, Any]:
    model = cost.hessian_products
    return {
        "gradients": cost.gradients,
        "hessian_products": None if model is None else model + cost.measuring_products,
        "of_which_measuring": cost.measuring_products,
        "measuring_gradients": cost.measuring_gradients,
        "solver_steps": cost.solver_steps,
        "seconds": round(cost.seconds, 3),
    }
