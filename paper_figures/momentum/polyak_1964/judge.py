"""What the paper says, and what is measured of it."""

import numpy as np
import xarray

import discrete

from ...frame.claim import Claim
from .setting import FASTEST, PERIOD

PAPER = "Polyak 1964"


def judge(data: list[xarray.Dataset]) -> list[Claim]:
    """Thresholds, the fastest rate, and the period of the oscillation."""
    (found,) = data
    return [_thresholds(found), _fastest(found), _period(found)]


def _thresholds(found: xarray.Dataset) -> Claim:
    return Claim(
        statement="heavy ball is stable while h lambda < 2 + 2b, Nesterov while h lambda < (2 + 2b)/(1 + 2b)",
        source=f"{PAPER}, section 3; Nesterov's and the two-step family's here",
        quantity=f"largest relative distance to a bisection on runs, {found.bisected.size} methods and momenta",
        predicted=(0.0, 1e-6),
        because="the bisection resolves 1e-9; growth near the threshold is measured to 1e-7 a step",
        measured=float(np.abs(found.bisected / found.stated - 1).max()),
    )


def _fastest(found: xarray.Dataset) -> Claim:
    root = FASTEST["condition"] ** 0.5
    return Claim(
        statement="the fastest heavy ball converges like ((sqrt k - 1)/(sqrt k + 1))^n, k = L/m",
        source=f"{PAPER}, theorem 9",
        quantity=f"best rate -log r on a grid over h and b, over the theorem's; k = {FASTEST['condition']:g}",
        predicted=(0.97, 1.0 + 1e-9),
        because="the optimum is a cusp: the grid's spacing costs up to 3 %",
        measured=float(np.log(found.fastest) / np.log((root - 1) / (root + 1))),
    )


def _period(found: xarray.Dataset) -> Claim:
    angle = discrete.mode(discrete.HeavyBall(1.0, PERIOD["momentum"]), PERIOD["curvature"]).angle
    return Claim(
        statement="where the roots are a pair, iterates oscillate with the period 2 pi / arg r and shrink like b^(n/2)",
        source="the roots in closed form",
        quantity="period between sign changes of a run, over 2 pi / arg r",
        predicted=(0.999, 1.001),
        because="crossings are interpolated between steps",
        measured=float(found.period * angle / (2 * np.pi)),
    )
