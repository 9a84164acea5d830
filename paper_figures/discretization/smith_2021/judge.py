"""What the paper says, and what is measured of it."""

import numpy as np
import xarray

from comparisons.theorems.order import extrapolated, regression

from ...frame.claim import Claim
from .setting import BATCHES, DURATION, EXAMPLES

PAPER = "Smith et al. 2021"


def judge(data: list[xarray.Dataset]) -> list[Claim]:
    """Orders after an epoch and after many, the control with independent draws, the coefficient, m = 1 and h/B."""
    (found,) = data
    mean, other = "the mean over all orders of an epoch", "control: with independent draws the mean"
    return [
        _order(found, "reshuffled", "Smith", 3, f"{mean} follows the flow of Smith's loss to O(m^3 h^3)"),
        _order(found, "reshuffled", "gradient flow", 2, f"{mean} follows gradient flow to O(h^2) only"),
        _order(found, "reshuffled", "full batch", 2, f"{mean} follows the flow of C + (h/4) |grad C|^2 to O(h^2) only"),
        _order(found, "independent", "full batch", 3, f"{other} follows the flow of C + (h/4) |grad C|^2 to O(h^3)"),
        _order(found, "independent", "Smith", 2, f"{other} follows that of Smith's loss to O(h^2) only"),
        _long_order(found, "Smith", 2, "over many epochs the mean follows the flow of Smith's loss to O(h^2)"),
        _long_order(found, "full batch", 1, "over many epochs it follows the full batch's modified flow to O(h) only"),
        _coefficient(found, "reshuffled", 0.25, "the variance of the batches' gradients enters with h/4"),
        _coefficient(found, "independent", 0.0, "control: with independent draws it does not enter"),
        _reduction(found),
        _batch_size(found),
    ]


def _order(found: xarray.Dataset, sampling: str, model: str, claimed: int, statement: str) -> Claim:
    slope, confidence = regression(found.rate.values, found.error.sel(sampling=sampling, model=model).values)
    return Claim(
        statement=statement,
        source=f"{PAPER}, the theorem on one epoch" if sampling == "reshuffled" else "derived here",
        quantity=f"slope of log error on log h after {BATCHES} steps",
        predicted=(claimed - 0.15, claimed + 0.15),
        because="separates neighbouring orders three times over",
        measured=slope,
        uncertainty=confidence,
    )


def _long_order(found: xarray.Dataset, model: str, claimed: int, statement: str) -> Claim:
    slope, confidence = regression(found.long_rate.values, found.long_error.sel(model=model).values)
    return Claim(
        statement=statement,
        source=f"{PAPER}, the theorem on one epoch, summed over T/(m h) epochs; linear model",
        quantity=f"slope of log error on log h at time {DURATION:g}",
        predicted=(claimed - 0.15, claimed + 0.15),
        because="separates neighbouring orders three times over",
        measured=slope,
        uncertainty=confidence,
    )


def _coefficient(found: xarray.Dataset, sampling: str, expected: float, statement: str) -> Claim:
    rows = found.coefficient.sel(sampling=sampling).values
    limit, uncertainty = extrapolated(found.rate.values, rows)
    return Claim(
        statement=statement,
        source=f"{PAPER}, the modified loss" if expected else "derived here",
        quantity="c of h mean |grad C_k - grad C|^2 that fits the mean best, extrapolated to h = 0",
        predicted=(expected - 0.0075, expected + 0.0075),
        because="3 % of 1/4: m h S starts at 0.17, and the extrapolation leaves its square",
        measured=limit,
        uncertainty=uncertainty,
    )


def _reduction(found: xarray.Dataset) -> Claim:
    return Claim(
        statement="for one batch the loss is that of full-batch gradient descent",
        source=f"{PAPER}, the modified loss; Barrett and Dherin 2021",
        quantity="relative distance of the two gradients",
        predicted=(0.0, 1e-12),
        because="an identity: rounding",
        measured=float(found.one_batch),
    )


def expected_variance(found: xarray.Dataset) -> np.ndarray:
    """(N - B)/(N - 1) V/B, with V the variance of single examples: sampling without replacement."""
    return ((EXAMPLES - found["size"]) / (EXAMPLES - 1) / found["size"] * found.single_variance).values


def _batch_size(found: xarray.Dataset) -> Claim:
    return Claim(
        statement="the regularization by the variance scales like h/B, times (N - B)/(N - 1)",
        source=f"{PAPER}, on the batch size",
        quantity="largest relative distance of the mean over all batches of B examples to it, B = 1 to 6 of 8",
        predicted=(0.0, 1e-12),
        because="an identity: rounding",
        measured=float(np.max(np.abs(found.variance.values / expected_variance(found) - 1))),
    )
