"""What the paper says, and what is measured of it."""

from typing import Any

import numpy as np
import xarray

from comparisons.theorems.order import regression

from ...frame.claim import Claim
from ...frame.interpolators import network_dual, off_row_space
from .diagonal_methods import judge_methods

PAPER = "Woodworth et al. 2020"
SEPARATES = "half of this separates neighbouring powers three times over"
SIGN = "the sign is what is stated"
RICH, KERNEL, ENOUGH = 1e-3, 1.0, 0.025


def judge(data: list[xarray.Dataset]) -> list[Claim]:
    """Twelve claims: which interpolator, both regimes and how they are approached, and what finite steps change."""
    (found,) = data
    return [
        _conditions(found, found.depth == 2, "asinh(theta / (2 alpha^2))", "theorem 1"),
        _conditions(found, found.depth > 2, "h_D^-1(theta / alpha^D)", "theorem on higher order models"),
        _convex(found),
        _monotone(found),
        _kernel(found),
        *_rich(found),
        _range(found),
        *judge_methods(found),
    ]


def _conditions(found: xarray.Dataset, chosen: Any, dual: str, source: str) -> Claim:
    some = found.sel(depth=chosen)
    residuals = [
        off_row_space(found.inputs.values, network_dual(theta / scale, int(depth)))
        for depth, row in zip(some.depth.values, some.flow.values, strict=True)
        for scale, theta in zip(some.scale.values, row, strict=True)
    ]
    return Claim(
        statement=f"gradient flow ends where Q is least: depth {', '.join(str(d) for d in some.depth.values)}",
        source=f"{PAPER}, {source}",
        quantity=f"part of {dual} outside the rows of X, relative, largest over the scales",
        predicted=(0.0, 1e-7),
        because="exact; the solver errs by 1e-9 a step, and takes some thousand steps",
        measured=float(np.max(residuals)),
    )


def _convex(found: xarray.Dataset) -> Claim:
    apart = np.linalg.norm(found.flow - found.reference, axis=-1) / np.linalg.norm(found.reference, axis=-1)
    return Claim(
        statement="the end of gradient flow is the interpolator of least Q, at every scale between the regimes",
        source=f"{PAPER}, theorem 1 and its extension to depth D",
        quantity="distance to the solution of the convex program, relative, largest over scales and depths",
        predicted=(0.0, 1e-6),
        because="ten times the tolerance on the conditions: theta follows an error of its dual with a factor up to log",
        measured=float(np.max(apart)),
    )


def excesses(found: xarray.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """(|theta|_1 over the least, |theta|_2^2 over the least), both less 1, at the ends of the flow; (depth, scale)."""
    flow, one, two = found.flow.values, found.least_l1.values, found.least_l2.values
    return np.abs(flow).sum(-1) / np.abs(one).sum() - 1, (flow**2).sum(-1) / (two**2).sum() - 1


def _monotone(found: xarray.Dataset) -> Claim:
    one, two = excesses(found)
    return Claim(
        statement="as alpha grows, the end moves from the least l1 norm to the least l2 norm",
        source=f"{PAPER}, section 4, figure of the excess norms",
        quantity="share of neighbouring scales at which the l1 norm falls or the l2 norm rises",
        predicted=(0.0, 0.0),
        because="a count: both are strictly monotone",
        measured=float(np.mean([np.diff(one, axis=1) <= 0, np.diff(two, axis=1) >= 0])),
    )


def _kernel(found: xarray.Dataset) -> Claim:
    late = found.sel(scale=found.scale >= KERNEL)
    slopes = [regression(late.scale.values, row)[0] for row in np.linalg.norm(late.flow - late.least_l2, axis=-1)]
    return Claim(
        statement="for alpha to infinity the end is the interpolator of least l2 norm",
        source=f"{PAPER}, theorem 2; the power derived here: q_D' is odd, what is left is (theta / alpha^D)^2",
        quantity="slope of log distance to it on log alpha^D, the farthest from -2 of all depths",
        predicted=(-2.15, -1.85),
        because=SEPARATES,
        measured=max(slopes, key=lambda slope: abs(slope + 2)),
    )


def _rich(found: xarray.Dataset) -> list[Claim]:
    early = found.sel(scale=found.scale <= RICH)
    slopes = [regression(early.scale.values, row)[0] for row in excesses(early)[0]]
    source, power = (
        f"{PAPER}, theorem 2 and section 5; the power as in Matt and Stoeger 2025",
        1 - float(found.certificate),
    )
    return [
        Claim(
            statement="for alpha to 0 the end is the interpolator of least l1 norm, approached slowly at depth 2",
            source=source,
            quantity=f"slope of log excess of the l1 norm on log alpha^2; 1 - rho = {power:.3f}, rho by linear program",
            predicted=(power - 0.15, power + 0.15),
            because=SEPARATES,
            measured=slopes[0],
        ),
        Claim(
            statement="deeper networks approach it faster: the transition is sharper",
            source=source,
            quantity="slope of log excess of the l1 norm on log alpha^D, D > 2, the farthest from 1",
            predicted=(0.85, 1.15),
            because=SEPARATES,
            measured=max(slopes[1:], key=lambda slope: abs(slope - 1)),
        ),
    ]


def population_error(found: xarray.Dataset) -> np.ndarray:
    """Mean of (x'theta - x'truth)^2 over new inputs, over that of theta = 0; (depth, scale)."""
    truth = found.least_l1.values
    return ((found.flow.values - truth) ** 2).sum(-1) / (truth**2).sum()


def _range(found: xarray.Dataset) -> Claim:
    log_scale = np.log10(found.scale.values)
    reach = [np.interp(np.log10(ENOUGH), np.log10(row), log_scale) for row in population_error(found)]
    return Claim(
        statement="the deeper the network, the larger are the scales that generalize",
        source=f"{PAPER}, section 5, figure of simulations at several depths",
        quantity=f"decades that the scale alpha^D of population error {ENOUGH} gains by one more layer, the least",
        predicted=(0.0, np.inf),
        because=SIGN,
        measured=float(np.min(np.diff(reach))),
    )
