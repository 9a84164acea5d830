"""Does an energy fall as its theorem says, and does the loss keep to the rate that follows?"""

import equinox as eqx
import jax
import numpy as np

from discrete import Method, Trajectory, run
from flows import Energy, Flow, MechanicalEnergy, solve
from landscapes import Loss, Params

from .order import FLOOR_FACTOR, LOOSE, TIGHT, check_float64, dopri8, regression

ENERGY, LOSS = "energy", "loss"


class Decay(eqx.Module):
    """An energy along a flow or a method.

    times: in the flow's clock.  energies, gaps: E and L - L*; gaps are NaN for an energy without minimizer.
    floors: estimate of what solver and rounding contribute to each energy.
    bounds: of a flow, E(0)/weight(t), what L - L* is at most if the energy never rises; infinite where the weight is 0.
    NaN along a method, whose discrete energy has other weights, and for an energy without minimizer.
    status: of the run.
    """

    times: np.ndarray
    energies: np.ndarray
    floors: np.ndarray
    gaps: np.ndarray
    bounds: np.ndarray
    status: str

    @property
    def largest_rise(self) -> float:
        """The largest increase between two samples, relative to the largest |energy|; negative if it always fell.

        NaN for a run that failed before its second sample, and for an energy that overflowed.
        """
        size = np.abs(self.energies).max()
        if len(self.energies) < 2 or not np.isfinite(size):
            return float("nan")
        return float(np.max(np.diff(self.energies)) / size) if size else 0.0

    @property
    def verdict(self) -> str:
        """`holds` if no rise exceeds 10 times the floor, `fails` if one does.

        `undecided` for a run that failed, and for an energy that overflowed: exp(sqrt(m) t) does, so take fewer steps.
        """
        if self.status != "completed" or not np.all(np.isfinite(self.energies)):
            return "undecided"
        allowed = FLOOR_FACTOR * (self.floors[1:] + self.floors[:-1])
        return "holds" if np.all(np.diff(self.energies) <= allowed) else "fails"

    @property
    def share_of_bound(self) -> float:
        """The largest (L - L*) / bound of a flow; at most 1 where the energy never rises."""
        # A flow that starts at the minimizer has 0 of a bound of 0.
        shares = np.divide(self.gaps, self.bounds, out=np.zeros_like(self.gaps), where=self.bounds != 0)
        return float(np.max(shares))

    def power(self, after: float = 0.0) -> tuple[float, float]:
        """p of L - L* ~ t^-p over the times from `after` on, and its 95 % half-width; NaN with fewer than 3 of them."""
        late = (self.times >= after) & (self.times > 0) & (self.gaps > 0)
        if late.sum() < 3:
            return float("nan"), float("nan")
        slope, width = regression(self.times[late], self.gaps[late])
        return -slope, width


def measure_decay(
    model: Flow | Method, loss: Loss, params: Params, energy: Energy | MechanicalEnergy, *, steps: int, every: int = 1
) -> Decay:
    """Measure an energy along a flow or along its method.

    energy: of the flow, `flow.energy(loss, minimizer)`.  A flow is solved at relative tolerances 1e-12 and 1e-10; what
    they differ by is the solver's part of the floor. Rounding is that of the loss, times its weight in the energy.
    Raises ValueError for params that are not float64, whose rounding hides what is looked for.
    """
    check_float64(params)
    observe = {ENERGY: energy, LOSS: loss}
    if isinstance(model, Flow):
        tight, loose = (
            solve(model, loss, params, steps=steps, every=every, observe=observe, integrator=dopri8(rtol))
            for rtol in (TIGHT, LOOSE)
        )
        n = min(len(tight.steps), len(loose.steps))
        solver = np.abs(tight.observations[ENERGY][:n] - loose.observations[ENERGY][:n])
        status = loose.status if tight.completed else tight.status
        return _decay(tight, energy, loss, solver, status, bounded=True)
    found = run(model, loss, params, steps=steps, every=every, observe=observe)
    return _decay(found, energy, loss, np.zeros(len(found.steps)), found.status, bounded=False)


def _decay(
    found: Trajectory, energy: Energy | MechanicalEnergy, loss: Loss, solver: np.ndarray, status: str, *, bounded: bool
) -> Decay:
    n = len(solver)
    energies, losses = found.observations[ENERGY][:n], found.observations[LOSS][:n]
    times = found.steps[:n] * float(energy.time_per_step)
    weights = np.asarray(jax.vmap(energy.weight)(times))
    rounding = np.finfo(float).eps * (weights * np.abs(losses).max() + np.abs(energies))
    gaps, bounds = np.full(n, np.nan), np.full(n, np.nan)
    if isinstance(energy, Energy):
        gaps = losses - float(loss(energy.minimizer))
        if bounded:
            bounds = np.asarray(jax.vmap(lambda time: energy.bound(energies[0], time))(times))
    return Decay(times, energies, solver + rounding, gaps, bounds, status)
