"""What the paper says, and what is measured of it."""

import numpy as np
import xarray

from comparisons.theorems.order import regression
from flows.modified.quadratic import convergence_radius, tall_coefficients

from ...frame.claim import Claim
from .compute import linear_methods
from .setting import ORDERS, TERMS

BOOK = "Hairer, Lubich and Wanner 2006"


def judge(data: list[xarray.Dataset]) -> list[Claim]:
    """Three claims: the order of every truncation, the outward spiral, and the radius of convergence."""
    (found,) = data
    return [_orders(found), _spiral(found), _radius()]


def _orders(found: xarray.Dataset) -> Claim:
    slopes = [regression(found.step.values, row)[0] for row in found.error.values]
    return Claim(
        statement="the flow of the modified equation truncated after h^(p-1) meets the numerical solution to O(h^p)",
        source=f"{BOOK}, theorem IX.1.2 and corollary",
        quantity="largest |slope - p| of log error on log h at time 2, p = 1 to 4",
        predicted=(0.0, 0.15),
        because="half of this separates neighbouring orders three times over",
        measured=float(np.max(np.abs(np.array(slopes) - np.array(ORDERS)))),
    )


def invariant(path: np.ndarray) -> np.ndarray:
    """I = log p - p + 2 log q - q, constant along the exact flow."""
    q, p = path[..., 0], path[..., 1]
    return np.log(p) - p + 2 * np.log(q) - q


def _spiral(found: xarray.Dataset) -> Claim:
    euler, second = (invariant(path)[[0, -1]] for path in (found.euler.values, found.flow.sel(claimed=2).values))
    return Claim(
        statement="the exact solution is periodic, Euler's spirals outwards, and so does the modified equation's",
        source=f"{BOOK}, section IX.1, figure 1.1",
        quantity="drift of the invariant along the flow of order 2, over that of Euler's iterates",
        predicted=(0.75, 1.25),
        because="relative error O(h) at h = 0.1 over 100 steps",
        measured=float(np.diff(second)[0] / np.diff(euler)[0]),
    )


def _radius() -> Claim:
    method = linear_methods()["heavy_ball"]
    terms = np.abs(tall_coefficients(method, TERMS))
    n = np.arange(1, TERMS)
    ratios = terms[:-1] / terms[1:]
    # A square-root branch point has ratios R (1 + 3/(2 n) + ...): two steps of elimination of 1/n and 1/n^2.
    once = np.diff(n * ratios)
    twice = np.diff((n[:-1] + 0.5) * once)
    return Claim(
        statement="on a linear problem the series has a finite radius: here heavy ball's, (1 - sqrt b)^2 in h s",
        source="derived here, b = 1/4; the book's example is Euler's, with radius 1",
        quantity="radius extrapolated from the ratios of the first 12 exact coefficients, over (1 - sqrt b)^2",
        predicted=(0.97, 1.03),
        because="what is left of the extrapolation is of the order 1/12^3 times a few",
        measured=float(twice[-1] / convergence_radius(method)),
    )
