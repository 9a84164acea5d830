"""What the paper says, and what is measured of it."""

import numpy as np
import scipy.integrate
import xarray

from comparisons.theorems.order import regression

from ...frame.claim import Claim
from .setting import DECAY, TORQUE_DECAY

PAPER = "Miyagawa 2022"
ORDER = "separates neighbouring orders three times over"


def judge(data: list[xarray.Dataset]) -> list[Claim]:
    """Two claims on the error, four on scale-invariant layers, three on their equilibrium, three on translation."""
    (found,) = data
    return [
        _leading(found),
        _ladder(found),
        _conserved_length(found),
        _law(found),
        _growth(found),
        _length_orders(found),
        _equilibrium(found),
        _equilibrium_of_motion(found),
        _approach(found),
        _conserved_total(found),
        _total_rate(found),
        _total_orders(found),
    ]


def _farthest(found: xarray.Dataset, name: str, decays: tuple[float, ...], terms: tuple[int, ...]) -> float:
    """The largest |slope - (k + 1)| of log error on log h."""
    slopes = [
        regression(found.rate.values, found[name].sel(decay=decay, counter_terms=k).values)[0] - (k + 1)
        for decay in decays
        for k in terms
    ]
    return float(np.max(np.abs(slopes)))


def _leading(found: xarray.Dataset) -> Claim:
    relative = (found.corrected_error / found.error.sel(counter_terms=0)).values
    slopes = [regression(found.rate.values, row)[0] for row in relative]
    return Claim(
        statement="the discretization error of gradient flow is h E + O(h^2), E' = -H E + (1/2) H g along it",
        source=f"{PAPER}, section on the discretization error; X(nh) - x_n, of the opposite sign for x_n - X(nh)",
        quantity="slope on log h of log |X(nh) - x_n - h E| / |X(nh) - x_n|, farther from 1 of without and with decay",
        predicted=(0.85, 1.15),
        because=ORDER,
        measured=float(max(slopes, key=lambda slope: abs(slope - 1))),
    )


def _ladder(found: xarray.Dataset) -> Claim:
    return Claim(
        statement="with the counter terms xi_0, ..., xi_(k-1) the equation of motion errs by O(h^(k+1))",
        source=f"{PAPER}, section on the discretization error",
        quantity="largest |slope - (k + 1)| of log error on log h to time 4, k = 0, 1, 2, without and with decay",
        predicted=(0.0, 0.15),
        because=ORDER,
        measured=_farthest(found, "error", (0.0, DECAY), (0, 1, 2)),
    )


def _side(found: xarray.Dataset, name: str, decay: float, side: int) -> np.ndarray:
    """Side 0 is gradient descent, 1, 2, 3 have 0, 1, 2 counter terms."""
    return found[name].sel(decay=decay).isel(side=side).values


def _conserved_length(found: xarray.Dataset) -> Claim:
    length = _side(found, "squared_length", 0.0, 1)
    return Claim(
        statement="gradient flow conserves the length of scale-invariant weights",
        source=f"{PAPER}, section on scale-invariant layers",
        quantity="largest relative change of |w|^2 of the hidden layer along gradient flow",
        predicted=(0.0, 1e-9),
        because="a thousand times the tolerance of the solver",
        measured=float(np.max(np.abs(length / length[0] - 1))),
    )


def _law(found: xarray.Dataset) -> Claim:
    h, worst = float(found.rate.max()), 0.0
    for decay in (0.0, DECAY):
        length, pull = (_side(found, name, decay, 0) for name in ("squared_length", "squared_gradient"))
        expected = (1 - h * decay) ** 2 * length[:-1] + h**2 * pull[:-1]
        worst = max(worst, float(np.max(np.abs(length[1:] / expected - 1))))
    return Claim(
        statement="gradient descent obeys |w_{n+1}|^2 = (1 - h wd)^2 |w_n|^2 + h^2 |g|^2 exactly",
        source=f"{PAPER}, section on scale-invariant layers",
        quantity="largest relative residual over 20 steps, without and with decay",
        predicted=(0.0, 1e-13),
        because="rounding of 512 weights",
        measured=worst,
    )


def _growth(found: xarray.Dataset) -> Claim:
    length, pull = (_side(found, name, 0.0, 2) for name in ("squared_length", "squared_gradient"))
    integral = scipy.integrate.simpson(pull, x=found.time.values)
    return Claim(
        statement="along the equation of motion d|w|^2/dt = h |g|^2",
        source=f"{PAPER}, section on scale-invariant layers",
        quantity="growth of |w|^2 to time 4 over h times the integral of |g|^2 (Simpson's rule, 21 samples)",
        predicted=(0.999, 1.001),
        because="the error of Simpson's rule on a gradient that falls over the first few samples",
        measured=float((length[-1] - length[0]) / (found.rate.max() * integral)),
    )


def _length_orders(found: xarray.Dataset) -> Claim:
    return Claim(
        statement="the counter term makes the prediction of |w|^2 one of order 2, where gradient flow's is of order 1",
        source=f"{PAPER}, section on scale-invariant layers",
        quantity="largest |slope - (k + 1)| of log error of |w|^2 on log h, k = 0, 1, without and with decay",
        predicted=(0.0, 0.15),
        because=ORDER,
        measured=_farthest(found, "norm_error", (0.0, DECAY), (0, 1)),
    )


def _at_rest(found: xarray.Dataset, side: int) -> np.ndarray:
    return found.torque_length.isel(torque_side=side, torque_sample=-1).values


def _equilibrium(found: xarray.Dataset) -> Claim:
    h, decay = found.torque_rate.values, TORQUE_DECAY
    return Claim(
        statement="with weight decay gradient descent comes to rest at |w|^4 = h G/(wd (2 - h wd)), G = |w|^2 |g|^2",
        source=f"{PAPER}, section on scale-invariant layers with weight decay",
        quantity="largest relative residual under constant torque, G = 1, at time 20",
        predicted=(0.0, 1e-9),
        because="an identity once exp(-4 wd t), 4e-18, is gone",
        measured=float(np.max(np.abs(_at_rest(found, 0) ** 2 * decay * (2 - h * decay) / h - 1))),
    )


def _equilibrium_of_motion(found: xarray.Dataset) -> Claim:
    h, decay = found.torque_rate.values, TORQUE_DECAY
    return Claim(
        statement="the equation of motion has one too, |w|^4 = h G/(wd (2 + h wd)); gradient flow falls to 0",
        source=f"{PAPER}, section on scale-invariant layers with weight decay; the denominator derived here",
        quantity="largest relative residual under constant torque, one counter term, at time 20",
        predicted=(0.0, 1e-6),
        because="the tolerance of the solver over a turn for each |w|^2 of time; the other sign is off by h wd",
        measured=float(np.max(np.abs(_at_rest(found, 1) ** 2 * decay * (2 + h * decay) / h - 1))),
    )


def _approach(found: xarray.Dataset) -> Claim:
    h, time, rates = found.torque_rate.values, found.torque_time.values, []
    for row, rate in zip(found.torque_length.isel(torque_side=1).values, h, strict=True):
        rest = np.sqrt(rate / (TORQUE_DECAY * (2 + rate * TORQUE_DECAY)))
        # |w|^4 relaxes exponentially: it obeys a linear equation.
        away = np.abs(row**2 / rest**2 - 1)
        usable = away > 1e-6
        rates.append(-np.polyfit(time[usable], np.log(away[usable]), 1)[0])
    ratios = [float(r) for r in np.array(rates) / (2 * TORQUE_DECAY * (2 + h * TORQUE_DECAY))]
    return Claim(
        statement="the equation of motion relaxes to it at the rate 4 wd + 2 h wd^2",
        source=f"{PAPER}, section on scale-invariant layers with weight decay; the second term derived here",
        quantity="rate of |w|^4 over that, the farthest from 1 of all learning rates",
        predicted=(0.999, 1.001),
        because="d|w|^4/dt is linear in |w|^4; the fit ends a million times above the tolerance of the solver",
        measured=max(ratios, key=lambda ratio: abs(ratio - 1)),
    )


def _conserved_total(found: xarray.Dataset) -> Claim:
    totals = found.total.sel(decay=0.0).values
    return Claim(
        statement="gradient flow, gradient descent and the equation of motion conserve the sum over the classes of the "
        "weights that softmax sees",
        source=f"{PAPER}, section on translation-invariant layers",
        quantity="largest relative change of the sum, four sides",
        predicted=(0.0, 1e-12),
        because="rounding: the gradient and its counter terms sum to zero over the classes",
        measured=float(np.max(np.abs(totals - 1))),
    )


def _total_rate(found: xarray.Dataset) -> Claim:
    h, end = float(found.rate.max()), found.total.sel(decay=DECAY).isel(sample=-1).values
    rates = -np.log(end) / float(found.time[-1])
    expected = np.array([-np.log(1 - h * DECAY) / h, DECAY, DECAY + h * DECAY**2 / 2])
    return Claim(
        statement="with weight decay it shrinks like (1 - h wd)^n, exp(-wd t) and exp(-(wd + h wd^2/2) t)",
        source=f"{PAPER}, section on translation-invariant layers with weight decay",
        quantity="largest relative error of the three rates: gradient descent, gradient flow, one counter term",
        predicted=(0.0, 1e-9),
        because="closed forms, with the tolerance of the solver; the last two differ by h wd/2 = 0.01",
        measured=float(np.max(np.abs(rates[:3] / expected - 1))),
    )


def _total_orders(found: xarray.Dataset) -> Claim:
    return Claim(
        statement="the counter term makes that prediction one of order 2, where gradient flow's is of order 1",
        source=f"{PAPER}, section on translation-invariant layers with weight decay",
        quantity="largest |slope - (k + 1)| of log error of the sum on log h, k = 0, 1",
        predicted=(0.0, 0.15),
        because=ORDER,
        measured=_farthest(found, "total_error", (DECAY,), (0, 1)),
    )
