"""How far a method can be from its flow: what was measured along a run, put into the lemma behind all such bounds."""

import itertools
from typing import Literal

import equinox as eqx
import numpy as np
import xarray as xr
from jaxtyping import Float, Int

from landscapes.named import unknown

from ..findings import Findings
from .bound_instruments import POINTS, WEIGHTS

NEEDED = ("growth_rate", "defect")
TURNS = 3
LARGEST_EXPONENT = 600.0


class DivergenceBound(eqx.Module):
    """|x_n - X(t_n)| <= B(t_n) at the samples of a comparison that its flow reached.

    kind: "certificate" or "estimate", see `divergence_bound`.  status: "holds", or "holds until step n: ..." and why.
    distance: measured, |x_n - X(t_n)|.  bound: B, infinite where it no longer holds. Both in params.
    growth_rate: mu as measured, in 1 / time.  defect: mean of |y' - F(y)| over the step to come, in params / time.
    amplification: exp of the integral of mu up to here: by how much a distance at the start can have grown.
    sampling_error: |B - B from every second sample|: what integrating over samples may have left of B.
    """

    steps: Int[np.ndarray, " samples"]
    times: Float[np.ndarray, " samples"]
    distance: Float[np.ndarray, " samples"]
    bound: Float[np.ndarray, " samples"]
    growth_rate: Float[np.ndarray, " samples"]
    defect: Float[np.ndarray, " samples"]
    amplification: Float[np.ndarray, " samples"]
    sampling_error: Float[np.ndarray, " samples"]
    kind: Literal["certificate", "estimate"]
    status: str

    @property
    def share(self) -> Float[np.ndarray, " samples"]:
        """Distance over bound; 0 where there is no distance."""
        return np.divide(self.distance, self.bound, out=np.zeros_like(self.bound), where=self.distance > 0)

    @property
    def kept(self) -> bool:
        """Whether no distance exceeds the bound by more than the sampling error."""
        return bool(np.all(self.distance <= self.bound + self.sampling_error))

    def to_dataset(self) -> xr.Dataset:
        """Dimension step; variables with meaning and units."""
        rows = {
            "time": (self.times, "time of the flow", "learning rate x steps"),
            "distance": (self.distance, "|x_n - X(t_n)|", "params"),
            "bound": (self.bound, f"{self.kind} of the distance", "params"),
            "growth_rate": (self.growth_rate, "rate at which solutions part at most", "1 / time"),
            "defect": (self.defect, "mean of |y' - F(y)| over a step", "params / time"),
            "amplification": (self.amplification, "by how much a distance can have grown", "1"),
            "sampling_error": (self.sampling_error, "|bound - bound from every second sample|", "params"),
        }
        variables = {
            name: ("step", row, {"long_name": meaning, "units": units}) for name, (row, meaning, units) in rows.items()
        }
        return xr.Dataset(variables, {"step": self.steps}, {"kind": self.kind, "status": self.status})


def divergence_bound(
    comparison: Findings,
    flow: str,
    *,
    lipschitz: float | None = None,
    tube: float = np.inf,
    along: str = "both",
) -> DivergenceBound:
    """Bound how far a method is from the named flow X' = F(X) in a comparison that observed `bound_instruments`.

    For any loss, start, method and first-order flow. Let y be a curve through the iterates (`Defect`) and mu the
    largest eigenvalue of (F' + F'^T)/2 (`GrowthRate`), for gradient flow minus the smallest one of the Hessian. If m(t)
    is at least the mean of mu over the segment from y(t) to X(t), then |y - X| <= B with
        B' = m B + |y' - F(y)|,  B(0) = |x_0 - X(0)|
    (Hairer, Nørsett and Wanner 1993, theorem I.10.6). For gradient descent |y' - F(y)| is h/2 |H g| on average over a
    step, to first order; Elkabetz and Cohen 2021 use the lemma in this way, with norms of H and g in a tube.

    along: "both" or "method".  lipschitz: None for an estimate, or M for a certificate.
        estimate: mu only where it was measured. along="both": m is the mean of mu(x_n) and mu(X(t_n)), the trapezoidal
        rule for the mean over the segment. along="method": m is mu(x_n), and the flow is not used.
        certificate: M with |F'(v) - F'(w)| <= M |v - w|, in the spectral norm, for v on y and w nearer to it than
        `tube`; 0 for a quadratic. m grows with B, by M B/4 along="both" and by M B/2 along="method", so that it bounds
        the mean for all that B admits. It holds as long as B is finite and below `tube`; with "method" it bounds every
        solution that starts within B(0) of x_0, and none needs to be known.
    Both are up to rounding, the tolerance of mu, and the integration over samples, between which mu and the defect are
    linear: with every=1 of relative size h^2, see `sampling_error`. Where F has kinks (relu) F' does not say how far F
    jumps, and neither holds for certain.
    Raises ValueError on misuse.
    """
    _check(comparison, flow, lipschitz, tube, along)
    other, distance = comparison.flows[flow], comparison.divergence[flow].distance
    steps, n = other.steps, len(other.steps)
    rate = comparison.discrete.observations["growth_rate"][:n]
    if along == "both":
        rate = (rate + other.observations["growth_rate"]) / 2
    defect = comparison.discrete.observations["defect"][:n]
    h = float(other.times[-1] / steps[-1])
    slack = (lipschitz or 0.0) / (4 if along == "both" else 2)

    def integrated(used: np.ndarray) -> np.ndarray:
        every = np.arange(steps[-1] + 1)
        rates = np.interp(every, steps[used], rate[used])
        defects = np.stack([np.interp(every, steps[used], row) for row in defect[used].T], axis=1)
        return _integrated(float(distance[0]), h, rates, defects, slack, tube)[steps]

    bound, coarse = integrated(np.arange(n)), integrated(np.unique([*range(0, n, 2), n - 1]))
    held = np.isfinite(bound)
    exponent = np.cumsum(np.diff(other.times, prepend=0.0) * (rate + np.roll(rate, 1)) / 2)
    end = "leaves the tube" if tube < np.inf else "grows beyond all numbers"
    status = "holds" if held.all() else f"holds until step {steps[held][-1]}: then the bound {end}"
    return DivergenceBound(
        steps=steps,
        times=other.times,
        distance=distance,
        bound=bound,
        growth_rate=rate,
        defect=defect @ WEIGHTS,
        amplification=np.exp(np.minimum(exponent, LARGEST_EXPONENT)),
        sampling_error=np.abs(np.subtract(bound, coarse, out=np.zeros(n), where=held)),
        kind="estimate" if lipschitz is None else "certificate",
        status=status,
    )


def _integrated(
    start: float,
    h: float,
    rates: Float[np.ndarray, " steps"],
    defects: Float[np.ndarray, "steps points"],
    slack: float,
    tube: float,
) -> Float[np.ndarray, " steps"]:
    """B at every step of B' = (mu + slack B) B + d, mu and B linear in the exponent; infinite beyond the tube."""
    found = np.full(len(rates), np.inf)
    found[0] = now = start
    # What is at u of a step grows by the integral of a rate, from a to b, over u to 1: h (a (1 - u)^2 + b (1 - u^2))/2.
    u = np.append(0, POINTS)
    early, late = h * (1 - u) ** 2 / 2, h * (1 - u**2) / 2
    for n, (first, last) in enumerate(itertools.pairwise(rates)):
        following = now
        for _ in range(TURNS if slack else 1):
            exponents = early * (first + slack * now) + late * (last + slack * following)
            if not exponents.max() < LARGEST_EXPONENT:
                return found
            growth = np.exp(exponents)
            following = float(growth[0] * now + h * growth[1:] @ (WEIGHTS * defects[n]))
        if not following < tube:
            return found
        found[n + 1] = now = following
    return found


def _check(comparison: Findings, flow: str, lipschitz: float | None, tube: float, along: str) -> None:
    if flow not in comparison.flows:
        raise unknown("flow", flow, comparison.flows)
    if comparison.members is not None:
        raise ValueError(f"`comparison` must be of a single run, got {comparison.members} members; compare one alone.")
    if missing := [name for name in NEEDED if name not in comparison.discrete.observations]:
        raise ValueError(
            f"`comparison` did not observe {' and '.join(missing)}; "
            "run compare(..., observe=comparisons.bound_instruments(flow, loss))."
        )
    if len(comparison.flows[flow].steps) < 2:
        raise ValueError(f"`flow` {flow!r} has no sample after its start ({comparison.flows[flow].status}).")
    if along not in ("both", "method"):
        raise ValueError(f"`along` must be 'both' or 'method', got {along!r}.")
    if lipschitz is not None and not (np.isfinite(lipschitz) and lipschitz >= 0):
        raise ValueError(f"`lipschitz` must be a finite number from 0, or None for an estimate, got {lipschitz!r}.")
    start = float(comparison.divergence[flow].distance[0])
    if not tube > start:
        raise ValueError(f"`tube` must exceed the distance at the start, {start:g}, got {tube!r}.")
    if lipschitz is None and tube < np.inf:
        raise ValueError(f"`tube` = {tube:g} is where `lipschitz` is valid: give both, or neither for an estimate.")
