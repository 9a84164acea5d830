"""Measure the order of a flow honestly: regress log error on log step, where such a regression means something."""

from collections.abc import Callable, Sequence

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import stdtrit

from discrete import Method
from flows import Flow, Integrator
from landscapes import Loss, Params, top_eigenpairs

from ..compare import compare
from ..starting import starting_state

TOLERANCE = 0.15
ASYMPTOTIC = 0.25
FLOOR_FACTOR = 10.0
FEWEST = 4
SAMPLES = 20
TIGHT = 1e-12
LOOSE = 1e-10
NOT_RUN = (np.nan, np.nan, None, "completed")


class Order(eqx.Module):
    """A measured order.

    learning_rates: descending, as they were run.  errors: max over the sampled steps of |x_n - X(t_n)|.
    floors: estimate of what solver and rounding contribute to each error.  used: which points entered the regression.
    slope: of log error on the log of the flow's time of a step; NaN when undecided.
    confidence: half-width of its 95 % interval.
    regime: expansion parameter of each step size at the largest sharpness at either end; small means asymptotic.
    reasons: why points were left out, or why nothing could be fitted.
    """

    learning_rates: np.ndarray
    errors: np.ndarray
    floors: np.ndarray
    regime: np.ndarray
    used: np.ndarray
    claimed: int | None
    slope: float
    confidence: float
    reasons: list[str]

    @property
    def verdict(self) -> str:
        """`holds`, `fails`, or `undecided` when there was nothing to fit or nothing claimed."""
        if not np.isfinite(self.slope) or self.claimed is None:
            return "undecided"
        return "holds" if abs(self.slope - self.claimed) <= TOLERANCE else "fails"

    @property
    def holds(self) -> bool:
        """Whether the slope is within 0.15 of the claim, on either side."""
        return self.verdict == "holds"

    def __str__(self) -> str:
        if self.verdict == "undecided":
            return f"undecided (claimed {self.claimed}): {'; '.join(self.reasons)}"
        return f"{self.slope:.3f} +- {self.confidence:.3f} (claimed {self.claimed}): {self.verdict}"


def measure_order(
    make_method: Callable[[float], Method],
    make_flow: Callable[[Method], Flow],
    loss: Loss,
    params: Params,
    *,
    learning_rates: Sequence[float],
    duration: float = 1.0,
    start: str = "slow-manifold",
    after: float = 0.0,
) -> Order:
    """The order p in max_{t_n <= T} |x_n - X(t_n)| = O(d^p), d the flow's time of one step, for fixed T = duration.

    d is h for most flows and sqrt(h) for those whose clock is n sqrt(h): their order is in sqrt(h).

    make_method: h -> method;  make_flow: method -> flow.
    learning_rates: at least 4; each is adjusted so that a whole number of steps, beyond 20 a multiple of 20, fills the
    duration.  start: of a momentum method, "slow-manifold" (as the flow itself implies, see
    `flows.slow_manifold_state`) or "rest", whose transient of size O(h) hides every order above 1.
    after: the maximum is taken from this time on, once a transient has died, for a flow that starts where the iterates
    then seem to come from: ModifiedFlow(method, order, start="rest").

    A step size is left out, with the reason, where the flow's expansion parameter, h S / (1 - b)^2 or sqrt(h S),
    exceeds 0.25 (the expansion has not set in there: the slope would mean nothing), where the method or solver failed,
    and where the error is less than 10 times the floor; the floor is the difference between solves at relative
    tolerances 1e-12 and 1e-10, plus rounding in the iterates. With fewer than 4 points left the order is `undecided`;
    nothing is fitted.
    Raises ValueError for float32 params, whose rounding floor hides the orders, and for fewer than 4 step sizes.
    """
    _check(params, learning_rates, duration, start, after)
    clock = make_flow(make_method(float(learning_rates[0]))).clock_exponent
    steps = np.unique([_whole_steps(duration / h**clock) for h in learning_rates])
    rates = (duration / steps) ** (1 / clock)
    scale = np.array([make_flow(make_method(float(h))).expansion_parameter(1.0) for h in rates])
    # Far outside the asymptotic regime the models blow up rather than mislead: they are not even run.
    worth_running = scale * _largest_sharpness(loss, [params]) ** clock <= ASYMPTOTIC
    measured = [
        _error(make_method(float(h)), make_flow, loss, params, int(n), start, after / duration) if worth else NOT_RUN
        for h, n, worth in zip(rates, steps, worth_running, strict=True)
    ]
    errors, floors, ends, statuses = (list(column) for column in zip(*measured, strict=True))
    regime = scale * _largest_sharpness(loss, [params, *(end for end in ends if end is not None)]) ** clock
    parameter = "h S / (1 - b)^2" if clock == 1 else "sqrt(h S)"
    used, reasons = _usable(rates, np.array(errors), np.array(floors), regime, statuses, parameter)
    slope, confidence = np.nan, np.nan
    if used.sum() >= FEWEST:
        slope, confidence = regression(duration / steps[used], np.array(errors)[used])
    else:
        reasons = [f"{used.sum()} of {len(rates)} step sizes are usable, {FEWEST} are needed", *reasons]
    claimed = make_flow(make_method(float(rates[0]))).order
    return Order(rates, np.array(errors), np.array(floors), regime, used, claimed, slope, confidence, reasons)


def _whole_steps(wanted: float) -> int:
    """The nearest number of steps that can be sampled evenly."""
    return round(wanted / SAMPLES) * SAMPLES if wanted > SAMPLES else max(1, round(wanted))


def regression(steps: np.ndarray, errors: np.ndarray) -> tuple[float, float]:
    """Slope of log error on log step, and the half-width of its 95 % confidence interval (Student's t)."""
    (slope, _), covariance = np.polyfit(np.log(steps), np.log(errors), 1, cov=True)
    width = stdtrit(len(steps) - 2, 0.975) * np.sqrt(covariance[0, 0])
    return float(slope), float(width)


def extrapolated(steps: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    """Where a line through the values meets h = 0, and twice the standard error of that."""
    (_, limit), covariance = np.polyfit(steps, values, 1, cov=True)
    return float(limit), float(2 * np.sqrt(covariance[1, 1]))


def _error(method: Method, make_flow, loss: Loss, params: Params, steps: int, start: str, skipped: float):
    """(error, floor, end, status) of one step size; a fraction of the duration is skipped."""
    flow = make_flow(method)
    tight, loose = (dopri8(rtol) for rtol in (TIGHT, LOOSE))
    try:
        state = starting_state(start, method, {"flow": flow}, loss, params, tight)
    except ValueError as error:
        return np.nan, np.nan, None, str(error)
    every = max(1, steps // SAMPLES)
    runs = [
        compare(method, {"flow": flow}, loss, params, steps=steps, every=every, state=state, integrator=solver)
        for solver in (tight, loose)
    ]
    if any(run.interrupted for run in runs):
        raise KeyboardInterrupt
    statuses = {run.status for run in runs} | {run.flows["flow"].status for run in runs}
    if statuses != {"completed"}:
        return np.nan, np.nan, None, "; ".join(sorted(statuses - {"completed"}))
    late = runs[0].steps >= skipped * steps
    first, second = (run.divergence["flow"].distance[late] for run in runs)
    end = runs[0].discrete.final_params
    size = float(jnp.sqrt(sum(jnp.sum(jnp.asarray(leaf) ** 2) for leaf in jax.tree.leaves(end))))
    rounding = np.finfo(float).eps * max(size, 1.0) * np.sqrt(steps)
    return float(first.max()), float(np.abs(first - second).max() + rounding), end, "completed"


def dopri8(rtol: float) -> Integrator:
    """Dormand and Prince's 8(5,3) pair, for solves whose error must not matter."""
    return Integrator(diffrax.Dopri8(), diffrax.PIDController(rtol, rtol * 1e-3))


def _largest_sharpness(loss: Loss, points: list[Params]) -> float:
    pairs = eqx.filter_jit(top_eigenpairs)
    return max(float(pairs(loss, jax.tree.map(jnp.asarray, point)).values[0]) for point in points)


def _usable(rates, errors, floors, regime, statuses, parameter) -> tuple[np.ndarray, list[str]]:
    used, reasons = np.ones(len(rates), dtype=bool), []
    for i, h in enumerate(rates):
        if statuses[i] != "completed":
            reason = statuses[i]
        elif regime[i] > ASYMPTOTIC:
            reason = f"{parameter} = {regime[i]:.2g} exceeds {ASYMPTOTIC}: outside the asymptotic regime"
        elif errors[i] < FLOOR_FACTOR * floors[i]:
            reason = f"error {errors[i]:.1e} is within {FLOOR_FACTOR:.0f} times the floor {floors[i]:.1e}"
        else:
            continue
        used[i] = False
        reasons.append(f"h = {h:.3g}: {reason}")
    return used, reasons


def check_float64(params: Params) -> None:
    """ValueError for params of lower precision, whose rounding hides what is measured."""
    for leaf in jax.tree.leaves(params):
        if jnp.result_type(leaf) != jnp.float64:
            raise ValueError(
                f"`params` must be float64 to measure this, got {jnp.result_type(leaf)}: its rounding floor hides "
                "what is measured. Set jax.config.update('jax_enable_x64', True) before making them."
            )


def _check(params: Params, learning_rates: Sequence[float], duration: float, start: str, after: float) -> None:
    check_float64(params)
    if len(set(learning_rates)) < FEWEST or not all(np.isfinite(h) and h > 0 for h in learning_rates):
        raise ValueError(
            f"`learning_rates` must be at least {FEWEST} different positive numbers, got {learning_rates}."
        )
    if not (np.isfinite(duration) and duration > 0):
        raise ValueError(f"`duration` must be a positive number, got {duration}.")
    if not 0 <= after < duration:
        raise ValueError(f"`after` must lie in [0, {duration}), below the duration, got {after}.")
    if start not in ("rest", "slow-manifold"):
        raise ValueError(f"`start` must be 'rest' or 'slow-manifold', got {start!r}.")
