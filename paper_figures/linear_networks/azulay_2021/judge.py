"""What the paper says, and what is measured of it."""

import numpy as np
import xarray

from comparisons.theorems.order import regression

from ...frame.claim import Claim
from ...frame.interpolators import least_l2, network_dual, off_row_space
from .compute import root_k
from .linear_neuron import off_rows
from .neuron_descent import judge_descent
from .setting import EQUAL_SHAPES, GAPS, SCALE

PAPER = "Azulay et al. 2021"
SEPARATES = "half of this separates neighbouring powers three times over"
KERNEL = 10.0


def judge(data: list[xarray.Dataset]) -> list[Claim]:
    """Twelve claims: the diagonal network, the neuron, and gradient descent on the neuron."""
    (found,) = data
    return [
        _diagonal_conditions(found),
        _diagonal_convex(found),
        _equal_k(found),
        _shape_moves(found),
        _conserved(found),
        _neuron_conditions(found),
        _neuron_convex(found),
        _neuron_kernel(found),
        *judge_descent(found),
    ]


def _diagonal_conditions(found: xarray.Dataset) -> Claim:
    duals = [network_dual(4 * end / root_k(SCALE, 1 - gap), 2) for gap, end in _rows(found.end, "gap")]
    return Claim(
        statement="gradient flow on a diagonal network ends where Q of its scale and shape is least",
        source=f"{PAPER}, theorem on unbalanced diagonal networks",
        quantity="part of asinh(2 theta / sqrt(k)) outside the rows of X, relative, largest over the shapes",
        predicted=(0.0, 1e-7),
        because="exact; the solver errs by 1e-9 a step, and takes some thousand steps",
        measured=max(off_row_space(found.inputs.values, dual) for dual in duals),
    )


def _rows(array: xarray.DataArray, dim: str):
    return zip(array[dim].values.tolist(), array.values, strict=True)


def _relative(array: xarray.DataArray, other: xarray.DataArray) -> np.ndarray:
    return np.asarray(np.linalg.norm(array - other, axis=-1) / np.linalg.norm(other, axis=-1))


def _diagonal_convex(found: xarray.Dataset) -> Claim:
    return Claim(
        statement="the end of the diagonal network is the interpolator of least Q, for every shape",
        source=f"{PAPER}, theorem on unbalanced diagonal networks",
        quantity="distance to the solution of the convex program, relative, largest over the shapes",
        predicted=(0.0, 1e-6),
        because="ten times the tolerance on the conditions: theta follows an error of its dual with a factor up to log",
        measured=float(_relative(found.end, found.reference).max()),
    )


def _equal_k(found: xarray.Dataset) -> Claim:
    ends = found.equal_end
    return Claim(
        statement="scale and shape enter through k alone",
        source=f"{PAPER}, theorem on unbalanced diagonal networks",
        quantity=f"distance of the ends of s = {EQUAL_SHAPES[1]} and {EQUAL_SHAPES[2]} to that of s = 0, same k",
        predicted=(0.0, 1e-6),
        because="twice the distance to one convex program is allowed to either",
        measured=float(_relative(ends[1:], ends[0]).max()),
    )


def transition(found: xarray.Dataset) -> np.ndarray:
    """How far from least l1 to least l2 the end is, by its l1 norm: 0 and 1 are the ends of the way; (gap,)."""
    size, low, high = (np.abs(found[name].values).sum(-1) for name in ("end", "least_l1", "least_l2"))
    return (size - low) / (high - low)


def _shape_moves(found: xarray.Dataset) -> Claim:
    way = transition(found)
    return Claim(
        statement="at one small scale the shape alone moves the end from the rich regime (s = 0) to the kernel one",
        source=f"{PAPER}, section on the role of the shape",
        quantity=f"share of the way from the least l1 norm to that of least l2, between s = 0 and s = {1 - GAPS[-1]:g}",
        predicted=(0.9, 1.0),
        because="sqrt(k) is 4e-4 and 40, far below and above the entries of theta, 1; 0 where the way is not monotone",
        measured=float(way[-1] - way[0]) if np.all(np.diff(way) > 0) else 0.0,
    )


def _conserved(found: xarray.Dataset) -> Claim:
    drift = np.abs(found.neuron_drift).max("sample") / np.maximum(1, found.delta)
    return Claim(
        statement="gradient flow conserves a^2 - |w|^2 of a linear neuron",
        source=f"{PAPER}, section on fully connected networks",
        quantity="largest change on the way, over max(1, delta), largest over delta",
        predicted=(0.0, 1e-9),
        because="exact; the solver errs by 1e-11 a step, and takes a thousand",
        measured=float(drift.max()),
    )


def _neuron_conditions(found: xarray.Dataset) -> Claim:
    return Claim(
        statement="gradient flow on the neuron ends where q_delta(|theta|) - 3/2 w_0'theta is least",
        source=f"{PAPER}, theorem on one linear neuron",
        quantity="part of its gradient outside the rows of X, relative, largest over delta",
        predicted=(0.0, 1e-9),
        because="exact; the solver errs by 1e-11 a step, and takes a thousand",
        measured=max(off_rows(found, end, delta, delta) for delta, end in _rows(found.neuron_end, "delta")),
    )


def _neuron_convex(found: xarray.Dataset) -> Claim:
    return Claim(
        statement="the end of the neuron is the interpolator of least potential, for every delta",
        source=f"{PAPER}, theorem on one linear neuron",
        quantity="distance to the solution of the convex program, relative, largest over delta",
        predicted=(0.0, 1e-8),
        because="ten times the tolerance on the conditions",
        measured=float(_relative(found.neuron_end, found.neuron_reference).max()),
    )


def kernel_end(found: xarray.Dataset) -> np.ndarray:
    """The interpolator nearest to the start."""
    inputs, start = found.neuron_inputs.values, found.neuron_start.values
    return start + least_l2(inputs, found.neuron_targets.values - inputs @ start)


def _neuron_kernel(found: xarray.Dataset) -> Claim:
    late = found.sel(delta=found.delta >= KERNEL)
    slope, width = regression(late.delta.values, np.linalg.norm(late.neuron_end.values - kernel_end(found), axis=-1))
    return Claim(
        statement="for delta to infinity, theta of the start kept, the neuron ends at the interpolator nearest to it",
        source=f"{PAPER}, section on one neuron; the power derived here: q_delta is quadratic up to (theta / delta)^2",
        quantity="slope of log distance to it on log delta",
        predicted=(-2.15, -1.85),
        because=SEPARATES,
        measured=slope,
        uncertainty=width,
    )
