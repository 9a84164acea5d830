"""What the paper says, and what is measured of it."""

import numpy as np
import xarray

from comparisons.theorems.order import extrapolated, regression

from ...frame.claim import Claim
from .penalized_runs import at_equal_loss
from .product_model import DURATION, PATH

PAPER = "Barrett and Dherin 2021"


def judge(data: list[xarray.Dataset]) -> list[Claim]:
    """Four orders and the coefficient, the 2-D model, smaller gradients and flatter points, the explicit term."""
    model, network, *square = data
    return [
        _order(model, "local_error", 0.0, 2, "one step of gradient descent leaves gradient flow by O(h^2)"),
        _order(model, "local_error", 0.25, 3, "one step of gradient descent leaves the modified flow by O(h^3)"),
        _order(model, "error", 0.0, 1, "after a fixed time gradient descent has left gradient flow by O(h)"),
        _order(model, "error", 0.25, 2, "after a fixed time gradient descent has left the modified flow by O(h^2)"),
        _coefficient(model),
        _product_form(model),
        _nearer(model),
        _flatter_end(model),
        *_falling(network, "cross-entropy"),
        _explicit(network),
        _twice(network),
        *(claim for found in square for claim in _falling(found, "square loss")),
    ]


def _order(model: xarray.Dataset, name: str, coefficient: float, claimed: int, statement: str) -> Claim:
    slope, confidence = regression(model.rate.values, model[name].sel(coefficient=coefficient).values)
    return Claim(
        statement=statement,
        source=f"{PAPER}, theorem 3.1" + (", summed over T/h steps" if name == "error" else ""),
        quantity="slope of log error on log h, 2-D model" + (f", time {DURATION:g}" if name == "error" else ""),
        predicted=(claimed - 0.15, claimed + 0.15),
        because="separates neighbouring orders three times over",
        measured=slope,
        uncertainty=confidence,
    )


def fitted(coefficients: np.ndarray, gaps: np.ndarray) -> float:
    """The coefficient that minimizes the gap: the squared gap is a parabola up to O(h)."""
    curvature, slope, _ = np.polyfit(coefficients, gaps**2, 2)
    return float(-slope / (2 * curvature))


def _coefficient(model: xarray.Dataset) -> Claim:
    rates = model.rate.values
    best = [fitted(model.coefficient.values, model.error.sel(rate=h).values) for h in rates]
    limit, uncertainty = extrapolated(rates, np.array(best))
    return Claim(
        statement="the coefficient of h |grad E|^2 in the modified loss is 1/4",
        source=f"{PAPER}, theorem 3.1",
        quantity=f"c of the flow of E + c h |grad E|^2 that ends nearest at time {DURATION:g}, extrapolated to h = 0",
        predicted=(0.2475, 0.2525),
        because="h S starts below 0.08, and the extrapolation leaves its square, 0.6 %; neighbours 1/6 and 1/2 are far",
        measured=limit,
        uncertainty=uncertainty,
    )


def _product_form(model: xarray.Dataset) -> Claim:
    return Claim(
        statement="the modified loss is E + lambda R_IG, lambda = h m/4, and here R_IG = (a^2 + b^2) E",
        source=f"{PAPER}, definition of R_IG and the 2-D model",
        quantity="largest relative distance of the two over a grid",
        predicted=(0.0, 1e-12),
        because="an identity: rounding of a few operations",
        measured=float(model.closed_form),
    )


def _nearer(model: xarray.Dataset) -> Claim:
    end = model.descent.values[-1]
    modified, plain = (np.linalg.norm(model[f"{name}_flow"].values[-1] - end) for name in ("modified", "gradient"))
    return Claim(
        statement="at a moderate learning rate gradient descent is closer to the modified flow than to gradient flow",
        source=f"{PAPER}, figure 1",
        quantity=f"distance of its end to the end of the one over that of the other, h = {PATH['rate']:g}",
        predicted=(0.0, 0.5),
        because="below 1/2 it is nearer to the modified flow's end than the two flows' ends are to each other",
        measured=float(modified / plain),
    )


def _flatter_end(model: xarray.Dataset) -> Claim:
    flatness = (model.end.values**2).sum(axis=1)
    return Claim(
        statement="larger learning rates end at flatter minima of the 2-D model",
        source=f"{PAPER}, figure 1 and the prediction of flatter optima",
        quantity="trace of the Hessian at the end, a^2 + b^2, at a rate over that at half the rate; largest",
        predicted=(0.0, 1.0),
        because="below 1 it falls at every doubling",
        measured=float(np.max(flatness[1:] / flatness[:-1])),
    )


def gradient_penalty(network: xarray.Dataset) -> xarray.DataArray:
    """R_IG = |grad L|^2 / m."""
    return network.gradient_norm**2 / network.parameters


def _falling(network: xarray.Dataset, criterion: str) -> list[Claim]:
    statements = {
        "R_IG": ("larger learning rates make R_IG smaller relative to the loss", gradient_penalty(network)),
        "the sharpness": ("larger learning rates find flatter regions", network.sharpness),
    }
    claims = []
    for name, (statement, values) in statements.items():
        found = at_equal_loss(network, values)
        claims.append(
            Claim(
                statement=f"{statement} ({criterion})",
                source=f"{PAPER}, the predictions for R_IG and for flatness",
                quantity=f"{name} at equal loss, over that at the next smaller rate; largest over losses and starts",
                predicted=(0.0, 1.0),
                because="below 1 it falls at every step up in the learning rate, at every loss, from every start",
                measured=float(np.max(found[:, :-1] / found[:, 1:])),
            )
        )
    return claims


def _shares(network: xarray.Dataset, strength: float) -> np.ndarray:
    """(seed, rate): the last distance to the large learning rate's run over that without an explicit term."""
    last = network.distance.isel(time=-1)
    return (last.sel(strength=strength) / last.sel(strength=0.0)).values


def _explicit(network: xarray.Dataset) -> Claim:
    return Claim(
        statement="the same term, added to the loss, makes a small learning rate end where the large one ends",
        source=f"{PAPER}, explicit gradient regularization",
        quantity="distance of the ends at equal time over that without the term; largest over rates and seeds",
        predicted=(0.0, 0.5),
        because="below 1/2 its end is nearer to the large rate's than to that of the unregularized run",
        measured=float(np.max(_shares(network, 1.0))),
    )


def _twice(network: xarray.Dataset) -> Claim:
    return Claim(
        statement="with twice the coefficient it does not",
        source="control, ours",
        quantity="the same with twice the coefficient; smallest over rates and seeds",
        predicted=(0.5, 1.5),
        because="1 to first order in h; 1/2 is the bound of the claim above",
        measured=float(np.min(_shares(network, 2.0))),
    )
