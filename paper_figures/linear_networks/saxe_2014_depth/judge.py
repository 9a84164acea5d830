"""What the paper says, and what is measured of it."""

import numpy as np
import xarray

import landscapes
from comparisons.theorems.order import regression

from ...frame.claim import Claim
from .setting import DEPTHS, FIRST, FLOW_FIRST, FLOWS, RATES, STRENGTH, STRENGTHS

PAPER = "Saxe, McClelland and Ganguli 2014"


def judge(data: list[xarray.Dataset]) -> list[Claim]:
    """The equation of a mode, the best rate, the delay, and the growth of the iterations from two starts."""
    (found,) = data
    return [_equation(found), _best_rate(found), _delay(found), *_growths(found)]


def _equation(found: xarray.Dataset) -> Claim:
    misses = []
    for depth in FLOWS:
        for strength in STRENGTHS:
            u = found.strength.sel(flow=depth, mode=strength).values
            rising = u < 0.98 * strength
            exact = landscapes.mode_time(u[rising], depth, strength, FLOW_FIRST)
            misses.append(np.max(np.abs(exact - found.time.values[rising])))
    return Claim(
        statement="with d weight matrices a mode of a decoupled start follows u' = d u^(2 - 2/d) (s - u)",
        source=f"{PAPER}, equation 15",
        quantity=f"largest difference of the time from its closed form, gradient flow, d = {FLOWS[0]} and {FLOWS[1]}",
        predicted=(0.0, 1e-8),
        because="the solver's error in u over u', which is small at both ends of the rise",
        measured=float(np.max(misses)),
    )


def _best_rate(found: xarray.Dataset) -> Claim:
    deep = found.depth.values >= 5
    slope, width = regression(found.depth.values[deep] + 1.0, found.best_rate.values[deep])
    return Claim(
        statement="from a decoupled start the best learning rate falls with the number of layers like 1/N",
        source=f"{PAPER}, section 2 and figure 4",
        quantity=f"slope of log best of {len(RATES)} rates on log (d + 1), d = 5 to {DEPTHS[-1]}, u_0 = {FIRST[1]:g}",
        predicted=(-1.15, -0.85),
        because="separates neighbouring powers three times over",
        measured=slope,
        uncertainty=width,
    )


def _delay(found: xarray.Dataset) -> Claim:
    first = found["first"].values
    measured = (found.at_estimate.sel(depth=DEPTHS[-1]) - found.at_estimate.sel(depth=2)).values
    shares = measured / (STRENGTH / first - STRENGTH / (STRENGTH - first))
    return Claim(
        statement="at the rate 1/(d s^(2 - 2/d)) depth costs a finite delay, t_inf - t_3 = s/e - s/(s - e) iterations",
        source=f"{PAPER}, section 2 and equation 17",
        quantity=f"iterations from e to s - e at d = {DEPTHS[-1]} less those at d = 2, over the formula; "
        f"farthest from 1 of e = {', '.join(f'{e:g}' for e in first)}",
        predicted=(0.95, 1.05),
        because="(e/s)^(2/d) is 0.985, iterations are whole, and steps at this rate are no small ones at the end",
        measured=float(shares[np.argmax(np.abs(shares - 1))]),
    )


def at_best(found: xarray.Dataset, start: str) -> np.ndarray:
    """(seed, depth): iterations at the best rate."""
    return found.started.sel(start=start).min("rate").values.astype(float)


def _growths(found: xarray.Dataset) -> list[Claim]:
    deepest = int(found.start_depth[-1])
    statements = {
        "orthogonal": ("from random orthogonal matrices the learning time does not depend on depth", (-0.5, 0.5)),
        "Gaussian": ("from Gaussian matrices of the same scale it grows with depth", (0.5, np.inf)),
    }
    claims = []
    for start, (statement, predicted) in statements.items():
        counts = at_best(found, start)[:, -2:]
        half, whole = counts.mean(axis=0)
        errors = counts.std(axis=0) / counts.mean(axis=0) / len(counts) ** 0.5
        claims.append(
            Claim(
                statement=statement,
                source=f"{PAPER}, section 3 and figure 6A",
                quantity=f"power of d in the iterations at the best rate, d = {deepest // 2} to {deepest}; "
                f"mean of {len(counts)} seeds",
                predicted=predicted,
                because="half way between independent of depth, 0, and in proportion to it, 1; 2 standard errors",
                measured=float(np.log2(whole / half)),
                uncertainty=float(2 * np.hypot(*errors) / np.log(2)),
            )
        )
    return claims
