"""What the paper says, and what is measured of it."""

from typing import NamedTuple

import numpy as np
import xarray

from comparisons.theorems.order import regression

from ...frame.claim import Claim
from .setting import ATTRACTED, KINDS, ORDER_MOMENTUM

PAPER = "Kovachki and Stuart 2021"
CLAIMED = {"gradient flow": 1, "published": 1, "corrected": 2, "manifold": 2}


def judge(data: list[xarray.Dataset]) -> list[Claim]:
    """Orders of the three approximations with both starts, the sign of the penalty, and the attraction."""
    (found,) = data
    return [
        *(_order(found, model, claimed) for model, claimed in CLAIMED.items()),
        _other_sign(found),
        _attraction(found),
    ]


def _slopes(found: xarray.Dataset, model: str) -> dict[str, tuple[float, float]]:
    return {
        kind: regression(found.rate.values[usable], row[usable])
        for kind in KINDS
        for row in [found.error.sel(kind=kind, model=model).values]
        for usable in [np.isfinite(row)]
    }


class _Statement(NamedTuple):
    text: str
    source: str


STATEMENTS = {
    "gradient flow": _Statement("momentum follows a gradient flow whose time runs 1/(1-b) faster: O(h)", "thm 3"),
    "published": _Statement("momentum follows a second-order equation from the published velocity: O(h)", "thm 4"),
    "corrected": _Statement(
        "from the velocity derived here the second-order equation is O(h^2) after its transient", "thm 4, start ours"
    ),
    "manifold": _Statement(
        "after a transient it follows the gradient flow of Phi + (h/2) lb (lb - a - 1/2) |grad Phi|^2: O(h^2)",
        "thm 9, start shifted",
    ),
}


def _order(found: xarray.Dataset, model: str, claimed: int) -> Claim:
    slopes = _slopes(found, model)
    worst = max(slopes, key=lambda kind: abs(slopes[kind][0] - claimed))
    statement = STATEMENTS[model]
    return Claim(
        statement=statement.text,
        source=f"{PAPER}, {statement.source}",
        quantity=f"slope of log error on log h, b = {ORDER_MOMENTUM}, farther of the two: {worst}",
        predicted=(claimed - 0.15, claimed + 0.15),
        because="separates neighbouring orders three times over",
        measured=slopes[worst][0],
        uncertainty=slopes[worst][1],
    )


def _other_sign(found: xarray.Dataset) -> Claim:
    slopes = _slopes(found, "other sign")
    best = max(slopes, key=lambda kind: slopes[kind][0])
    return Claim(
        statement="with lb - a + 1/2 in the penalty the order is lost",
        source="derived here (the logarithm of the slow root has - 1/2)",
        quantity=f"slope of log error on log h, higher of the two: {best}",
        predicted=(0.5, 1.5),
        because="below the middle between orders 1 and 2",
        measured=slopes[best][0],
        uncertainty=slopes[best][1],
    )


def _attraction(found: xarray.Dataset) -> Claim:
    rates = {}
    for kind in KINDS:
        row = found.deviation.sel(kind=kind).values
        falling = row > 100 * row[-5:].max()
        steps = np.flatnonzero(falling)
        rates[kind] = float(np.exp(np.polyfit(steps, np.log(row[falling]), 1)[0]))
    worst = max(rates, key=lambda kind: abs(rates[kind] - ATTRACTED["momentum"]))
    return Claim(
        statement="the distance to the invariant manifold shrinks like b^n",
        source=f"{PAPER}, theorem 6",
        quantity=f"factor a step at b = {ATTRACTED['momentum']:g}, h = {ATTRACTED['rate']:g}; farther of two: {worst}",
        predicted=(ATTRACTED["momentum"] * 0.98, ATTRACTED["momentum"] * 1.02),
        because="the factor is b (1 + O(h S/(1-b)^2)), and the fit stops at the floor of O(h^2)",
        measured=rates[worst],
    )
