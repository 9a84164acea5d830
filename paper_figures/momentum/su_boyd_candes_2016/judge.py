"""What the paper says, and what is measured of it."""

import numpy as np
import xarray

from comparisons.theorems.order import regression

from ...frame.claim import Claim
from .setting import CONDITION, MODES, RESTART_CLOCK

PAPER = "Su, Boyd and Candes 2016"


def judge(data: list[xarray.Dataset]) -> list[Claim]:
    """The energy and the rate, the order, and speed restarting."""
    (found,) = data
    return [_falls(found), _rises(found), _rate(found), _integral(found), _order(found), *_restarts(found)]


def _rise(found: xarray.Dataset, r: float) -> float:
    """The largest rise of the energy between samples, 0 if there is none, over the error of solver and rounding."""
    energy, floor = found.energy.sel(r=r).values, found.floor.sel(r=r).values
    return max(0.0, float(np.max(np.diff(energy) / (floor[1:] + floor[:-1]))))


def _falls(found: xarray.Dataset) -> Claim:
    return Claim(
        statement="for convex f and r >= 3 the energy 2t^2/(r-1) (f - f*) + (r-1) |X + t X'/(r-1) - x*|^2 never rises",
        source=f"{PAPER}, theorems 3 and 5",
        quantity="largest rise between samples, in units of the solver's error; r = 3, 4, 5, logistic digits",
        predicted=(0.0, 10.0),
        because="ten times the estimated error of the energy",
        measured=max(_rise(found, r) for r in (3.0, 4.0, 5.0)),
    )


def _rises(found: xarray.Dataset) -> Claim:
    return Claim(
        statement="for r < 3 it may rise: the proof, and the rate t^-2 with it, ends at r = 3",
        source=f"{PAPER}, section 4.2",
        quantity="largest rise between samples, in units of the solver's error; r = 2, logistic digits",
        predicted=(10.0, np.inf),
        because="ten times the estimated error of the energy",
        measured=_rise(found, 2.0),
    )


def _rate(found: xarray.Dataset) -> Claim:
    return Claim(
        statement="f(X(t)) - f* <= (r - 1)^2 |x_0 - x*|^2 / (2 t^2)",
        source=f"{PAPER}, theorem 5",
        quantity="largest (f - f*) over the bound, r = 3, 4, 5",
        predicted=(0.0, 1.0),
        because="a bound is not exceeded",
        measured=float((found.gap / found.bound).sel(r=slice(3.0, None)).max()),
    )


def _integral(found: xarray.Dataset) -> Claim:
    shares = []
    for r in (4.0, 5.0):
        gap, time = found.gap.sel(r=r).values, found.time.values
        # The bound of the rate is (r - 1)^2 |x_0 - x*|^2 / (2 t^2).
        distance = float(found.bound.sel(r=r)[-1]) * time[-1] ** 2
        shares.append(np.trapezoid(time * gap, time) * (r - 3) / distance)
    return Claim(
        statement="for r > 3 the integral of t (f - f*) is at most (r - 1)^2 |x_0 - x*|^2 / (2 (r - 3))",
        source=f"{PAPER}, theorem 5",
        quantity="integral over the bound, the larger of r = 4 and 5",
        predicted=(0.0, 1.0),
        because="a bound is not exceeded",
        measured=float(max(shares)),
    )


def _order(found: xarray.Dataset) -> Claim:
    slope, width = regression(found.rate.values**0.5, found.error.values)
    return Claim(
        statement="as s -> 0 Nesterov's iterates converge to the equation at t = n sqrt(s); measured: like sqrt(s)",
        source=f"{PAPER}, theorem 2 (without a rate)",
        quantity="slope of log error on log sqrt(s), up to time 4, logistic digits",
        predicted=(0.85, 1.15),
        because="separates neighbouring orders three times over",
        measured=slope,
        uncertainty=width,
    )


def pieces(found: xarray.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Durations between restarts of the flow, to a sample, and the factor by which each piece multiplied the loss."""
    speed, loss = found.flow_restarted_speed.values, found.flow_restarted_loss.values
    restarts = np.flatnonzero(np.diff(speed) < 0) + 1
    at = np.concatenate([[0], restarts])
    return np.diff(at) * RESTART_CLOCK, loss[at[1:]] / loss[at[:-1]]


def _restarts(found: xarray.Dataset) -> list[Claim]:
    durations, factors = pieces(found)
    allowed = 1 - 3 / (25 * CONDITION) * (67 / 71) ** 2
    times = np.arange(found.sizes["fine"]) * RESTART_CLOCK
    loss, third = np.log(found.flow_restarted_loss.values), len(times) // 3
    early, late = (np.polyfit(times[part], loss[part], 1)[0] for part in (slice(third, 2 * third), slice(-third, None)))
    steps = np.arange(found.sizes["coarse"])
    of_method = np.polyfit(steps[len(steps) // 3 :], np.log(found.method_restarted_loss.values)[len(steps) // 3 :], 1)[
        0
    ]
    quadratic = f"{MODES} modes, L/mu = {CONDITION:g}"
    return [
        Claim(
            statement="speed restarting takes at least 4/(5 sqrt L) between restarts",
            source=f"{PAPER}, lemma 11",
            quantity=f"shortest of {len(durations)} pieces times sqrt L, to a sample of {RESTART_CLOCK}; {quadratic}",
            predicted=(0.8 - RESTART_CLOCK, np.inf),
            because="restarts are seen at the next sample",
            measured=float(durations.min()),
        ),
        Claim(
            statement="every piece multiplies f - f* by at most 1 - (3 mu/(25 L)) (67/71)^2",
            source=f"{PAPER}, lemma 12",
            quantity=f"largest factor of a piece; the theorem's is {allowed:.6f}",
            predicted=(0.0, allowed),
            because="a bound is not exceeded",
            measured=float(factors.max()),
        ),
        Claim(
            statement="speed restarting gives a linear rate on strongly convex f",
            source=f"{PAPER}, theorem 10",
            quantity=f"rate in the last third of the time over that in the middle one; rate {-late:.4f} a unit of time",
            predicted=(0.8, 1.25),
            because="pieces of a length of about 70 cut a third unevenly",
            measured=float(late / early),
        ),
        Claim(
            statement="the restarted method inherits the rate of the restarted equation",
            source=f"{PAPER}, section 5.1",
            quantity="rate of the method at s = 1/L over that of the equation, per unit of time",
            predicted=(0.8, 1.25),
            because="as above",
            measured=float(of_method / late),
        ),
    ]
