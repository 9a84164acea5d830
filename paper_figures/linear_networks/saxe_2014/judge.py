"""What the paper says, and what is measured of it."""

import numpy as np
import scipy.special
import xarray

from comparisons.theorems.order import regression
from landscapes import mode_sigmoid, mode_time

from ...frame.claim import Claim
from .setting import FIRST, ORDER_DURATION, STRENGTHS

PAPER = "Saxe, McClelland and Ganguli 2014"


def judge(data: list[xarray.Dataset]) -> list[Claim]:
    """The sigmoids, the times of random starts, and the orders of gradient flow and modified flow."""
    (found,) = data
    return [_sigmoids(found), *_random_starts(found), *_orders(found)]


def _sigmoids(found: xarray.Dataset) -> Claim:
    exact = mode_sigmoid(found.time.values[:, None], found.mode.values, FIRST)
    return Claim(
        statement="from a decoupled start every mode rises along u = s e^(2st) / (e^(2st) - 1 + s/u_0)",
        source=f"{PAPER}, equation 12",
        quantity=f"largest distance of gradient flow to it, over s; {len(STRENGTHS)} modes, u_0 = {FIRST:g}",
        predicted=(0.0, 1e-9),
        because="the relative tolerance of the solver, 1e-12, times s/u_0, by which an early error grows",
        measured=float(np.max(np.abs(found.decoupled.values - exact) / found.mode.values)),
    )


def half_times(found: xarray.Dataset) -> np.ndarray:
    """(seed, mode): when gradient flow from a small random start is at s/2; log(u/(s - u)) is straight in between."""
    time, u, strengths = found.time.values, found.random.values, found.mode.values
    after = np.argmax(u > strengths / 2, axis=0)
    # At the start u may be below 0, far from where it is asked for.
    odds = np.log(np.maximum(u, 1e-12) / np.maximum(strengths - u, 1e-12))
    low, high = (np.take_along_axis(odds, (after + shift)[None], 0)[0] for shift in (-1, 0))
    return time[after - 1] - low / (high - low) * (time[1] - time[0])


def ratios(found: xarray.Dataset, first: str) -> np.ndarray:
    """(seed, mode): half-learning times over log(s/u_0 - 1)/(2 s)."""
    strengths = found.mode.values
    return half_times(found) / mode_time(strengths / 2, 2, strengths, found[first].values)


def _random_starts(found: xarray.Dataset) -> list[Claim]:
    strengths, seeds, modes = found.mode.values, found.sizes["seed"], found.sizes["mode"]
    kept, raw = ratios(found, "random_kept"), ratios(found, "random_first")
    slope, width = regression(strengths, np.mean(kept / (2 * strengths), axis=0))
    # In N hidden units the last of N modes keeps a share of u_0 that has the distribution beta(1/2, (N - 1)/2).
    inverse_log = float(np.mean(1 / np.log(strengths[-1] / found.random_first.values[:, -1] - 1)))
    delay = inverse_log * (scipy.special.digamma(modes / 2) - scipy.special.digamma(0.5))
    scatter = inverse_log * np.sqrt(scipy.special.polygamma(1, 0.5) - scipy.special.polygamma(1, modes / 2))
    width_of_delay = float(2 * scatter / seeds**0.5)
    worst = int(np.argmax(np.abs(kept.mean(axis=0) - 1)))
    return [
        Claim(
            statement="the time in which a mode is learned is inversely proportional to its strength s",
            source=f"{PAPER}, section 1.3",
            quantity=f"slope on log s of log(half-learning time / log(s/u_0 - 1)), random starts, {seeds} seeds",
            predicted=(-1.15, -0.85),
            because="separates neighbouring powers three times over; u_0 as in the fourth claim",
            measured=slope,
            uncertainty=width,
        ),
        Claim(
            statement="small random starts follow the sigmoids, delayed by the competition of the modes",
            source=f"{PAPER}, figure 3; size of the delay derived here",
            quantity=f"delay of half-learning of the weakest of {modes} modes, as a fraction of log(s/u_0 - 1)/(2 s), "
            f"u_0 = |a + b|^2/4 at the start; mean of {seeds} seeds",
            predicted=(float(delay - width_of_delay), float(delay + width_of_delay)),
            because="(psi(N/2) - psi(1/2)) / log(s/u_0), psi the digamma function, from the share of u_0 that stronger "
            "modes leave; 2 standard errors of the mean",
            measured=float(raw[:, -1].mean() - 1),
        ),
        Claim(
            statement="once u_0 leaves out what a + b shares with stronger modes, random starts are on the sigmoids",
            source="derived here",
            quantity="mean delay of half-learning, as a fraction of log(s/u_0 - 1)/(2 s); the farthest mode, "
            f"s = {strengths[worst]:g}",
            predicted=(-0.02, 0.02),
            because="a tenth of the delay that this explains",
            measured=float(kept.mean(axis=0)[worst] - 1),
            uncertainty=float(2 * kept.std(axis=0)[worst] / seeds**0.5),
        ),
    ]


def errors(found: xarray.Dataset) -> dict[int, np.ndarray]:
    """Largest distances over s for each learning rate: 1, gradient descent to the sigmoids; 2, to the modified flow."""
    exact = mode_sigmoid(found.order_time.values[:, None], found.mode.values, FIRST)
    descent, modified = (found.compared.values[:, side] for side in (0, 1))
    gaps = {1: descent - exact, 2: descent - modified}
    return {order: np.max(np.abs(gap) / found.mode.values, axis=(1, 2)) for order, gap in gaps.items()}


def _orders(found: xarray.Dataset) -> list[Claim]:
    texts = {
        1: ("gradient descent at small rates follows the sigmoids; measured: to O(h)", f"{PAPER}, equations 2 and 12"),
        2: ("the flow of L + (h/4) |grad L|^2 follows it to O(h^2)", "Barrett and Dherin 2021, on these networks"),
    }
    fits = {order: regression(found.rate.values, row) for order, row in errors(found).items()}
    return [
        Claim(
            statement=statement,
            source=source,
            quantity=f"slope of log distance on log h, {len(STRENGTHS)} modes up to time {ORDER_DURATION:g}",
            predicted=(order - 0.15, order + 0.15),
            because="separates neighbouring orders three times over",
            measured=fits[order][0],
            uncertainty=fits[order][1],
        )
        for order, (statement, source) in texts.items()
    ]
