"""What the paper says, and what is measured of it."""

import numpy as np
import xarray

from comparisons.theorems.order import regression

from ...frame.claim import Claim
from .setting import KINDS, MOMENTUM, SHOWN

CLAIMED = {
    "rescaled gradient flow": 1,
    "Kovachki-Stuart": 2,
    "manifold (modified, order 2)": 2,
    "modified, order 3": 3,
    "modified, order 4": 4,
}


def judge(data: list[xarray.Dataset]) -> list[Claim]:
    """The order of every model that claims one at constant momentum, for the method where it is farther from it."""
    (found,) = data
    return [_order(found, model, claimed) for model, claimed in CLAIMED.items()]


def _order(found: xarray.Dataset, model: str, claimed: int) -> Claim:
    rates = found.rate.values
    small = rates <= SHOWN if len(rates) > 3 else np.ones(len(rates), dtype=bool)
    slopes = {
        kind: regression(rates[small], found.error.sel(kind=kind, model=model).values[small])[0] for kind in KINDS
    }
    worst = max(slopes, key=lambda kind: abs(slopes[kind] - claimed))
    return Claim(
        statement=f"{model}: from rest, after the transient, the distance to the iterates closes like h^{claimed}",
        source="measured here",
        quantity=f"slope of log error on log h, logistic digits, b = {MOMENTUM}; farther of the two: {worst}",
        predicted=(claimed - 0.3, claimed + 0.3),
        because="three step sizes; separates neighbouring orders",
        measured=slopes[worst],
    )
