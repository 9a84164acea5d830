"""What the paper says, and what is measured of it."""

import numpy as np
import xarray

from comparisons.theorems.order import regression

from ...frame.claim import Claim
from .setting import DRIFT_DURATION, DURATION, FALL, HIDDEN, IMBALANCES, POWERS

PAPER = "Min, Tarmoun, Vidal and Mallada 2021"


def judge(data: list[xarray.Dataset]) -> list[Claim]:
    """The imbalance along three dynamics, the rate of the loss, and where networks end."""
    (found,) = data
    return [*_conservation(found), _step(found), *_rates(found), _invariant(found), *_widths(found)]


def drifts(found: xarray.Dataset) -> dict[int, np.ndarray]:
    """For each learning rate, over the size of the imbalance: 1, its change; 2, its distance to the modified flow's."""
    descent, modified = (found.imbalance.values[:, side] for side in (0, 1))
    gaps = {1: descent - descent[:, :1], 2: descent - modified}
    size = np.linalg.norm(descent[0, 0])
    return {order: np.max(np.linalg.norm(gap, axis=(2, 3)), axis=1) / size for order, gap in gaps.items()}


def _conservation(found: xarray.Dataset) -> list[Claim]:
    texts = {
        1: "gradient descent has changed it by O(h) at a fixed time",
        2: "the flow of L + (h/4) |grad L|^2 changes it as gradient descent does, to O(h^2)",
    }
    fits = {order: regression(found.rate.values, row) for order, row in drifts(found).items()}
    conserved = Claim(
        statement="gradient flow conserves the imbalance U'U - V'V",
        source=f"{PAPER}, on the imbalance",
        quantity=f"largest change up to time {DURATION:g} of all the networks, over its size",
        predicted=(0.0, 1e-9),
        because="the solver's relative tolerance, 1e-12, in each of up to a thousand steps",
        measured=float(found.drift.max()),
    )
    return [
        conserved,
        *(
            Claim(
                statement=text,
                source="derived here" + ", after Barrett and Dherin 2021" * (order == 2),
                quantity=f"slope of log {('change', 'distance')[order - 1]} on log h, up to time {DRIFT_DURATION:g}",
                predicted=(order - 0.15, order + 0.15),
                because="separates neighbouring orders three times over",
                measured=fits[order][0],
                uncertainty=fits[order][1],
            )
            for order, text in texts.items()
        ),
    ]


def _step(found: xarray.Dataset) -> Claim:
    def imbalances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return np.swapaxes(first, 1, 2) @ first - second @ np.swapaxes(second, 1, 2)

    layers = found.first_layer.values, found.second_layer.values
    before, added = imbalances(*layers), imbalances(*(np.diff(layer, axis=0) for layer in layers))
    size = np.linalg.norm(before[0])
    return Claim(
        statement="a step of gradient descent changes it by h^2 (G_U'G_U - G_V'G_V), and by nothing else",
        source="derived here: the terms of first order in h cancel as in gradient flow",
        quantity=f"largest difference in {len(added)} steps, over the size of the imbalance; the first step changes it "
        f"by {np.linalg.norm(added[0]) / size:.0e} of that",
        predicted=(0.0, 1e-14),
        because=f"rounding, 2e-16, in sums of {HIDDEN} products",
        measured=float(np.max(np.abs(np.diff(before, axis=0) - added)) / size),
    )


def fallen(found: xarray.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """For every start shown: the time until the loss is FALL of its first, and the rate over the last third of that."""
    logs = np.log(found.loss.values / found.loss.values[0])

    def when(level: float) -> np.ndarray:
        ends = np.argmin(logs, axis=0) + 1
        return np.array(
            [np.interp(-level, -row[:end], found.time[:end]) for row, end in zip(logs.T, ends, strict=True)]
        )

    whole, most = when(np.log(FALL)), when(np.log(FALL) * 2 / 3)
    return whole, -np.log(FALL) / 3 / (whole - most)


def _rates(found: xarray.Dataset) -> list[Claim]:
    relative = found.loss.values[1:] / found.loss.values[0]
    shares = -np.log(relative) / found.time.values[1:, None] / found.bound.values
    times, late = fallen(found)
    largest = len(IMBALANCES) - 1
    return [
        Claim(
            statement="L(t) <= e^(-c t) L(0), c = 2 s^2 (lambda_r(Lambda)_+ + lambda_m(-Lambda)_+)",
            source=f"{PAPER}, theorem on the rate; constant derived here",
            quantity=f"least log(L(0)/L(t)) / (c t) of {shares.shape[1]} starts, while L(t) > {FALL**2:.0e} L(0)",
            predicted=(1.0, np.inf),
            because="a bound is kept",
            measured=float(shares[relative > FALL**2].min()),
        ),
        Claim(
            statement="the rate c is attained where the imbalance is large",
            source="derived here",
            quantity=f"rate over the last third of a fall to {FALL:.0e}, over c; imbalance {IMBALANCES[-1]:g}",
            predicted=(1.0, 1.05),
            because="imbalance k keeps eigenvalues within k (1 + O(|U V'|^2/k^2)), a per cent here; several times that",
            measured=float(late[largest] / found.bound.values[largest]),
        ),
        Claim(
            statement="the more imbalance, the faster the convergence",
            source=f"{PAPER}, abstract",
            quantity=f"largest ratio of the times to {FALL:.0e} of the same initial loss when the imbalance doubles",
            predicted=(0.0, 1.0),
            because="faster is a ratio below 1",
            measured=float(np.max(times[1 : largest + 1] / times[:largest])),
        ),
    ]


def _invariant(found: xarray.Dataset) -> Claim:
    ends = found.end.values[: len(IMBALANCES)]
    return Claim(
        statement="if what the data do not see of U is orthogonal to the rest, the end is the solution of least norm",
        source=f"{PAPER}, on the invariant set",
        quantity=f"largest distance of {len(ends)} ends, over the norm of that solution",
        predicted=(0.0, 1e-9),
        because="the solver's relative tolerance, 1e-12, in each of up to a thousand steps",
        measured=float(ends.max()),
    )


def _widths(found: xarray.Dataset) -> list[Claim]:
    claims = []
    for power in POWERS:
        exponent = 0.5 - power
        distances = np.exp(np.log(found.distance.sel(power=power)).mean("seed"))
        slope, width = regression(found.width.values, distances.values)
        claims.append(
            Claim(
                statement=f"from entries N(0, h^(-{power:g})), width h, the end is O(h^({exponent:g})) from least norm",
                source=f"{PAPER}, on the implicit bias" if power == 1 else "derived here, the same for another scale",
                quantity=f"slope of log distance on log h, h = {found.width.values[0]} to {found.width.values[-1]}, "
                f"geometric mean of {found.sizes['seed']} seeds",
                predicted=(exponent - 0.125, exponent + 0.125),
                because="half the difference between the powers of the two scales",
                measured=slope,
                uncertainty=width,
            )
        )
    return claims
