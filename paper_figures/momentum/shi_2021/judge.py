"""What the paper says, and what is measured of it."""

import numpy as np
import xarray

from comparisons.theorems.order import regression

from ...frame.claim import Claim
from .setting import CONDITION, CONVEX_STEPS, KINDS, MODELS, MODES, RATE, STEPS

PAPER = "Shi, Du, Jordan and Su 2021"
LABELS = {"low": "low resolution", "published": "high, published start", "corrected": "high, corrected start"}
CLAIMED = {"low": 1, "published": 1, "corrected": 2}
CONVEX_PROBLEMS = {"quadratic": f"{MODES} modes with equal losses, L/mu = {CONDITION:g}", "logistic": "logistic digits"}


def judge(data: list[xarray.Dataset]) -> list[Claim]:
    """Closeness on the example, orders of both starts, the two forms, energies, and NAG-C."""
    (found,) = data
    return [
        *(_closer(found, kind) for kind in KINDS),
        *(_order(found, model) for model in MODELS),
        _equal_forms(found),
        _falls(found),
        _gradient_rate(found),
        *(_within(found, problem) for problem in CONVEX_PROBLEMS),
    ]


def _closer(found: xarray.Dataset, kind: str) -> Claim:
    low, high = (float(found[f"distance, {kind}, {model}, {RATE:g}"].max()) for model in ("low", "corrected"))
    return Claim(
        statement=f"the high-resolution equation follows {kind} where the low-resolution one does not",
        source=f"{PAPER}, figure 1; f = 0.005 x_1^2 + x_2^2, s = {RATE}",
        quantity=f"largest distance over {STEPS} steps, low over high resolution",
        predicted=(5.0, np.inf),
        because="orders 1 and 2 in sqrt(s L) = 0.14 differ by a factor of about that",
        measured=low / high,
    )


def _order(found: xarray.Dataset, model: str) -> Claim:
    slopes = {
        kind: regression(found.rate.values**0.5, found[f"error, {kind}"].sel(model=model).values) for kind in KINDS
    }
    worst = max(slopes, key=lambda kind: abs(slopes[kind][0] - CLAIMED[model]))
    return Claim(
        statement=f"{LABELS[model]}: the distance at fixed time closes like s^({CLAIMED[model]}/2)",
        source=f"{PAPER}, section 2" if model != "corrected" else "initial velocity derived here",
        quantity=f"slope of log error on log sqrt(s), farther of the two: {worst}",
        predicted=(CLAIMED[model] - 0.15, CLAIMED[model] + 0.15),
        because="separates neighbouring orders three times over",
        measured=slopes[worst][0],
        uncertainty=slopes[worst][1],
    )


def _equal_forms(found: xarray.Dataset) -> Claim:
    return Claim(
        statement="in V = X' + sqrt(s) grad f the equations need no Hessian",
        source=f"{PAPER}, section 2 (phase-space form); the elimination is ours",
        quantity=f"largest distance between the two forms over {STEPS} steps, non-convex toy",
        predicted=(0.0, 1e-8),
        because="solver tolerance 1e-11 a step",
        measured=float(found.forms_apart.max()),
    )


def _falls(found: xarray.Dataset) -> Claim:
    rises = []
    for name in ("NAG-SC", "heavy ball", "NAG-C"):
        for side in ("flow", "method"):
            energy, floor = found[f"energy, {name}, {side}"].values, found[f"floor, {name}, {side}"].values
            rises.append(float(np.max(np.diff(energy) / (floor[1:] + floor[:-1]))))
    return Claim(
        statement="the energies of NAG-SC, heavy ball and NAG-C, with their rates, never rise: equations and methods",
        source=f"{PAPER}, theorems 1 to 6",
        quantity="largest rise between samples in units of the error of solver and rounding; logistic digits",
        predicted=(0.0, 10.0),
        because="ten times the estimated error of the energy",
        measured=max(0.0, *rises),
    )


def gradient_bound(found: xarray.Dataset) -> np.ndarray:
    """Of |grad f|^2: (12 + 9 s L) |x_0 - x*|^2 / (2 sqrt(s) (t^3 - t_0^3)) at s = L = 1."""
    times = np.arange(found.sizes["convex_step"]) + 1.5
    with np.errstate(divide="ignore"):
        return 21 * float(found.radius_squared) / (2 * (times**3 - 1.5**3))


def _gradient_rate(found: xarray.Dataset) -> Claim:
    return Claim(
        statement="min |grad f|^2 <= (12 + 9 s L) |x_0 - x*|^2 / (2 sqrt(s) (t^3 - t_0^3)) along the equation of NAG-C",
        source=f"{PAPER}, theorem 5",
        quantity=f"largest ratio to the bound over {CONVEX_STEPS} steps; {MODES} modes, L/mu = {CONDITION:g}, s = 1/L",
        predicted=(0.0, 1.0),
        because="a bound is not exceeded",
        measured=float(np.max(found["gradient, flow"].values / gradient_bound(found))),
    )


def relative_gap_error(found: xarray.Dataset, problem: str, kind: str) -> np.ndarray:
    """|f(X) - f(x_n)| / (f(x_n) - f*) at every step."""
    method, flow = (found[f"gap, {problem}, {kind}, {side}"].values for side in ("method", "flow"))
    return np.abs(flow / method - 1)


def _within(found: xarray.Dataset, problem: str) -> Claim:
    return Claim(
        statement="the equation of NAG-C with terms of size s predicts f - f* along the method at s = 1/L",
        source="derived and measured here",
        quantity=f"largest relative error over {CONVEX_STEPS} steps; {CONVEX_PROBLEMS[problem]}",
        predicted=(0.0, 0.05),
        because="the target set for this tool: what can still be seen in a plot",
        measured=float(relative_gap_error(found, problem, "next").max()),
    )
