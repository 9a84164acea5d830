"""What the paper says, and what is measured of it."""

import numpy as np
import xarray

from comparisons.theorems.order import regression

from ...frame.claim import Claim
from .setting import FLOWS, SMOOTH

PAPER = "Rosca et al. 2023"
INITIAL_FALL, LEFT = 60, 0.1


def judge(data: list[xarray.Dataset]) -> list[Claim]:
    """Seven claims on quadratics and a toy, five on a network before and at the edge of stability."""
    (found,) = data
    return [
        _exact(found),
        _no_oscillation(found),
        _sign(found),
        _growth(found),
        _order(found),
        _constant(found),
        _leaves_minimum(found),
        _slow_course(found),
        _delay(found),
        _alternation(found),
        _at_the_edge(found),
        _from_start(found),
    ]


def _exact(found: xarray.Dataset) -> Claim:
    size = np.maximum(1, np.linalg.norm(found.iterates.values, axis=-1))
    return Claim(
        statement="on a quadratic the principal flow is at every whole step where gradient descent is",
        source=f"{PAPER}, section on the principal flow, quadratic losses",
        quantity="largest distance over max(1, |x_n|), 15 steps, h l from 0.5 to 2.4, 1 included",
        predicted=(0.0, 1e-10),
        because="rounding over 15 steps, and the smallest normal number for log 0 at h l = 1",
        measured=float(np.max(found.distance.sel(flow="principal").values / size)),
    )


def _no_oscillation(found: xarray.Dataset) -> Claim:
    first = found.path.sel(flow=list(SMOOTH)).isel(component=0).values
    # Below the tolerance of the solver a sign says nothing.
    usable = np.abs(first) > 1e-9
    flips = (first[..., 1:] * first[..., :-1] < 0) & usable[..., 1:] & usable[..., :-1]
    return Claim(
        statement="gradient flow and the modified flows of finite order cannot oscillate on a quadratic, h l > 1",
        source=f"{PAPER}, section on the principal flow, figures of the quadratic",
        quantity="changes of sign of x_1 along them, all h l together; gradient descent changes it at every step",
        predicted=(0.0, 0.0),
        because="the solution of a real linear equation in one variable keeps its sign",
        measured=float(np.sum(flips)),
    )


def _sign(found: xarray.Dataset) -> Claim:
    z, rates = found.z.values, found.z.values * found.coefficient.isel(component=0).values
    below, above = np.flatnonzero(z < 2)[-1], np.flatnonzero(z > 2)[0]
    crossing = np.interp(0.0, rates[[below, above]], z[[below, above]])
    others = found.coefficient.isel(component=1).values.max()
    return Claim(
        statement="the stability coefficient Re log(1 - h l)/(h l) of an eigendirection turns positive at h l = 2",
        source=f"{PAPER}, section on stability coefficients",
        quantity="h l where it vanishes along x_1, interpolated; not a number if x_2, h l below 0.03, is unstable too",
        predicted=(1.999, 2.001),
        because="linear interpolation of log|1 - z| between 1.98 and 2.02 is off by 0.0002",
        measured=float(crossing) if others < 0 else np.nan,
    )


def _growth(found: xarray.Dataset) -> Claim:
    usable = np.all(found.iterates.values[:, 1] != 0, axis=-1)
    path = found.iterates.values[usable]
    measured = np.log(np.abs(path[:, 1:] / path[:, :-1]))
    predicted = (found.curvature * found.coefficient).values[usable, None]
    return Claim(
        statement="the stability coefficient of an eigendirection is the growth of the iterates along it",
        source=f"{PAPER}, section on stability coefficients",
        quantity="largest |log growth a step - h l x coefficient|, both directions, all h l but 1",
        predicted=(0.0, 1e-9),
        because="an identity on a quadratic; rounding of the eigenvalues near the zero at h l = 2",
        measured=float(np.max(np.abs(measured - predicted))),
    )


def _order(found: xarray.Dataset) -> Claim:
    slope, width = regression(found.rate.values, found.error.sel(flow="principal").values)
    return Claim(
        statement="on a loss that is not quadratic the principal flow is of order 2, as the modified flow of order 2",
        source=f"{PAPER}, section on the principal flow, error for general losses",
        quantity="slope of log error on log h to time 1 on the toy of two valleys",
        predicted=(1.85, 2.15),
        because="separates neighbouring orders three times over",
        measured=slope,
        uncertainty=width,
    )


def _constant(found: xarray.Dataset) -> Claim:
    whole, bent = found.predicted_error.values
    second, principal = (float(found.error.sel(flow=name)[-1]) for name in ("order 2", "principal"))
    return Claim(
        statement="the principal flow errs less than order 2: of the terms of order h^2 it leaves out T[g, g]/12 alone",
        source=f"{PAPER}, section on the principal flow; the size derived here",
        quantity="error of the modified flow of order 2 over that of the principal flow at the smallest h",
        predicted=(float(0.95 * whole / bent), float(1.05 * whole / bent)),
        because="the ratio of the solutions of E' = -H E + (terms left out), correct to O(h) with h S = 0.02",
        measured=second / principal,
    )


def _leaves_minimum(found: xarray.Dataset) -> Claim:
    away = {str(name): found.from_minimum.values[i] for i, name in enumerate(("method", *FLOWS))}
    growth = {name: np.log(rows[-1] / rows[1]) for name, rows in away.items()}
    kept = max(growth[name] for name in SMOOTH) < 0
    return Claim(
        statement="the principal flow leaves a minimum with h l > 2 like gradient descent; other flows fall into it",
        source=f"{PAPER}, abstract and section on the behaviour around critical points",
        quantity="log growth of the distance from the toy's sharp minimum, over gradient descent's, at h l = 2.1; "
        "0 if one of the others grows",
        predicted=(0.98, 1.02),
        because="linear there up to 0.0004 of the valley's width, times its third derivative",
        measured=float(growth["principal"] / growth["method"]) if kept else 0.0,
    )


def crossing(found: xarray.Dataset) -> float:
    """The first recorded step at which h times the sharpness exceeds 2."""
    above = np.flatnonzero(found.sharpness.values > 2)
    return float(found.network_step.values[above[0]]) if above.size else np.nan


def departure(found: xarray.Dataset) -> float:
    """The first step at which half a swing is more than 0.1 of a stride."""
    out = np.flatnonzero(found.swing.values > LEFT * found.stride.values)
    return float(found.detail_step.values[out[0]]) if out.size else np.nan


def _one_step(found: xarray.Dataset, chosen: np.ndarray) -> xarray.DataArray:
    return found.apart.isel(later=0, window=np.flatnonzero(chosen))


def _slow_course(found: xarray.Dataset) -> Claim:
    steps = found.window.values
    before = _one_step(found, (steps > INITIAL_FALL) & (steps < crossing(found)))
    return Claim(
        statement="before the edge the iterates do not oscillate, and the principal flow is no better than order 2",
        source="measured here, against the expectation that exact eigendirections help past h l = 1",
        quantity="median ratio of their errors after one step, from the end of the initial fall to the crossing of 2/h",
        predicted=(0.9, 1.1),
        because="equal up to the share of the top 3 directions, whose gradient is slaved to the others'",
        measured=float(np.median(before.sel(flow="principal") / before.sel(flow="order 2"))),
    )


def _delay(found: xarray.Dataset) -> Claim:
    begin, end = crossing(found), departure(found)
    known = np.isfinite(begin) and np.isfinite(end)
    steps = np.arange(begin, end) if known else np.array([])
    z = np.interp(steps, found.network_step.values, found.sharpness.values)
    size = float(found.swing.sel(detail_step=end)) if known else np.nan
    return Claim(
        statement="instability grows by the stability coefficient from the step on at which it turns positive",
        source=f"{PAPER}, section on the edge of stability; the delay measured here",
        quantity="sum of h l x coefficient from there until half a swing of the iterates is 0.1 of a stride",
        predicted=(float(np.log(size / 1e-16)), float(np.log(size / 1e-18))),
        because="the log of that swing over what rounding seeds: 1e-17 for weights of 0.1, a factor of 10 either way",
        measured=float(np.sum(np.log(np.abs(1 - z)))) if known else np.nan,
    )


def _alternation(found: xarray.Dataset) -> Claim:
    late = found.detail_step > departure(found)
    factor = 1 - found.sharpness.sel(network_step=found.detail_step.values).values
    ratio = (found.amplification.values / factor)[late.values]
    return Claim(
        statement="at the edge the gradient along the top eigenvector follows (u.g)' = log(1 - h l)/h (u.g)",
        source=f"{PAPER}, section on the edge of stability",
        quantity="median of |factor a step of u.g over (1 - h l) - 1| once the iterates swing",
        predicted=(0.0, 0.05),
        because="h l and u move by less than 5 % from step to step",
        measured=float(np.median(np.abs(ratio - 1))) if ratio.size else np.nan,
    )


def _at_the_edge(found: xarray.Dataset) -> Claim:
    late = _one_step(found, found.window.values > departure(found))
    best = late.sel(flow=list(SMOOTH)).min("flow")
    return Claim(
        statement="at the edge of stability the principal flow is closer to gradient descent than real flows",
        source=f"{PAPER}, section on predicting gradient descent of networks, figures of the error per step",
        quantity="median over points of the run of its error after one step, over the smallest of the other three",
        predicted=(0.0, 0.5),
        because="the paper's curves are apart by more than a factor of 2",
        measured=float(np.median(late.sel(flow="principal") / best)),
    )


def _leaving(found: xarray.Dataset, flow: str) -> float:
    """h l at the start where the error after one step passes 0.1 of the step, interpolated in logarithms."""
    error = found.apart_from_start.isel(later=0).sel(flow=flow).values
    above = np.flatnonzero(error > LEFT)
    if not above.size or above[0] == 0:
        return np.nan
    ends = slice(above[0] - 1, above[0] + 1)
    return float(np.exp(np.interp(np.log(LEFT), np.log(error[ends]), np.log(found.start_z.values[ends]))))


def _from_start(found: xarray.Dataset) -> Claim:
    return Claim(
        statement="off the slow course, at the start, it holds to larger learning rates than gradient flow and order 2",
        source=f"{PAPER}, section on predicting gradient descent of networks, figures of the error per step",
        quantity="h l at the start where its error after one step passes 10 %, over the larger of the other two",
        predicted=(1.0, np.inf),
        because="the statement is an order, not a size",
        measured=_leaving(found, "principal") / max(_leaving(found, "gradient flow"), _leaving(found, "order 2")),
    )
