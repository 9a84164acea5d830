"""Azulay, Moroshko, Nacson, Woodworth, Srebro, Globerson and Soudry 2021, "On the implicit bias of initialization
shape: beyond infinitesimal mirror descent": the shape of the start chooses the interpolator, as its scale does.

The paper shows that gradient flow on unbalanced linear networks ends where a potential of scale and shape is least. For
diagonal networks theta = u_+ v_+ - u_- v_- both enter through sqrt(k) = 4 alpha (1 + s^2) / (1 - s^2) alone, with the
scale alpha = u v and the shape s = (u - v) / (u + v). For one linear neuron f = a w'x they enter through
delta = a^2 - |w|^2, which is conserved, though its flow is no mirror descent.

Shown here: the sparse regression of Woodworth et al. 2020 (3 of 40 unknowns, 20 examples), and a neuron with 15 inputs
and 6 examples. The ends of the flow meet the conditions of Karush, Kuhn and Tucker and agree with convex programs.

The paper is on the flow; gradient descent with finite steps is added here. Its end is, at every learning rate, the
exact minimizer of the neuron's potential with the delta that its steps have left.
"""

from pathlib import Path
from typing import Any

import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import xarray
from matplotlib.figure import Figure

import landscapes
from comparisons.order import regression
from comparisons.plot import COLOURS, DASHES, STYLE
from landscapes import DataLoss, half_squared_error
from landscapes.linear_networks import unbalanced_diagonal_model

from .claim import Claim
from .interpolators import least_l1, least_l2, least_potential, network_dual, network_potential, off_row_space
from .linear_neuron import off_rows, with_neuron
from .network_ends import flow_end
from .neuron_descent import DELTA, draw_descent, judge_descent, with_descent
from .stored import load as load, stored

PAPER = "Azulay et al. 2021"
SEPARATES = "half of this separates neighbouring powers three times over"
# Starts of the diagonal network: 1 - s at one scale, and shapes of one k with scales to match.
SCALE = 1e-4
GAPS = tuple(float(f"{gap:.4g}") for gap in np.geomspace(1, 1e-5, 11))
QUICK_GAPS = (1.0, 1e-2, 1e-3, 1e-5)
EQUAL_SHAPES, EQUAL_ROOT_K = (0.0, 0.9, 0.99), 0.04
DELTAS = (0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
QUICK_DELTAS = (0.0, 1.0, 10.0, 30.0, 100.0)
KERNEL = 10.0


def compute(folder: Path, *, quick: bool) -> list[Path]:
    """One netCDF file: ends of both networks for many shapes, convex programs beside them, and gradient descent."""
    sizes = (QUICK_GAPS, QUICK_DELTAS) if quick else (GAPS, DELTAS)
    return stored(folder, "azulay_2021", quick=quick, computed=lambda: _computed(*sizes))


def _computed(gaps: tuple[float, ...], deltas: tuple[float, ...]) -> xarray.Dataset:
    scales = [EQUAL_ROOT_K / root_k(1.0, shape) for shape in EQUAL_SHAPES]
    found = with_descent(with_neuron(references(gaps), deltas))
    return found.assign(
        end=(("gap", "entry"), [diagonal_end(SCALE, 1 - gap) for gap in gaps]),
        equal_end=(("shape", "entry"), [diagonal_end(*start) for start in zip(scales, EQUAL_SHAPES, strict=True)]),
    )


def references(gaps: tuple[float, ...]) -> xarray.Dataset:
    """The inputs, and what is known of the diagonal network without a flow."""
    loss = landscapes.diagonal_linear().loss
    inputs, targets = np.asarray(loss.inputs), np.asarray(loss.targets)[:, 0]
    potentials = [network_potential(root_k(SCALE, 1 - gap) / 4, depth=2) for gap in gaps]
    return xarray.Dataset(
        {
            "inputs": (("example", "entry"), inputs),
            "least_l1": ("entry", least_l1(inputs, targets)),
            "least_l2": ("entry", least_l2(inputs, targets)),
            "reference": (("gap", "entry"), [least_potential(each, inputs, targets) for each in potentials]),
        },
        coords={"gap": list(gaps), "shape": list(EQUAL_SHAPES)},
    )


def root_k(scale: float, shape: float) -> float:
    """sqrt(k) = 4 alpha (1 + s^2) / (1 - s^2) = 2 (u^2 + v^2)."""
    return 4 * scale * (1 + shape**2) / (1 - shape**2)


def diagonal_end(scale: float, shape: float) -> np.ndarray:
    """theta where gradient flow ends from u_+ = u_-, v_+ = v_- of the scale and shape, where theta is 0."""
    network = landscapes.diagonal_linear()
    loss = DataLoss(unbalanced_diagonal_model, half_squared_error, network.loss.inputs, network.loss.targets)
    ratio = np.sqrt((1 + shape) / (1 - shape))
    start = {"u_plus": ratio, "v_plus": 1 / ratio, "u_minus": ratio, "v_minus": 1 / ratio}
    full = jnp.full(network.params["u"].shape, np.sqrt(scale))
    params = {name: size * full for name, size in start.items()}
    end = flow_end(loss, params, duration=160 / root_k(scale, shape), size=0.1)
    return np.asarray(end["u_plus"] * end["v_plus"] - end["u_minus"] * end["v_minus"])


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


def draw(data: list[xarray.Dataset]) -> Figure:
    """The way from rich to kernel by shape, the neuron's end by delta, and what gradient descent makes of delta."""
    (found,) = data
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(1, 3, figsize=(6.8, 2.6), layout="constrained")
        _draw_shapes(axes[0], found)
        _draw_neuron(axes[1], found)
        draw_descent(axes[2], found, rf"(c) descent, $\delta_0 = {DELTA:g}$")
    return figure


def _draw_shapes(panel: Any, found: xarray.Dataset) -> None:
    for i, (norm, label) in enumerate(((1, "least $l_1$"), (2, "least $l_2$"))):
        least = found[f"least_l{norm}"]
        size = np.linalg.norm(least)
        exact, ends = (np.linalg.norm(found[name] - least, axis=-1) / size for name in ("reference", "end"))
        panel.semilogx(found.gap, exact, linestyle=DASHES[i], color=COLOURS[i], linewidth=1.0, label=f"to {label}")
        panel.semilogx(found.gap, ends, "o", color=COLOURS[i], markersize=3)
    panel.plot([], [], "o", color="0.4", markersize=3, label="flow")
    panel.plot([], [], "-", color="0.4", linewidth=1.0, label="least $Q$")
    panel.invert_xaxis()
    panel.set(title=rf"(a) diagonal network, $\alpha = {SCALE:g}$", xlabel="$1 - s$", ylabel="distance, relative")
    panel.legend(fontsize="xx-small", loc="center left")


def _draw_neuron(panel: Any, found: xarray.Dataset) -> None:
    near, shown = kernel_end(found), found.delta.values > 0
    for name, mark, label in (("neuron_reference", "-", "least $q_\\delta$"), ("neuron_end", "o", "flow")):
        apart = np.linalg.norm(found[name].values - near, axis=-1)
        panel.loglog(found.delta[shown], apart[shown], mark, color=COLOURS[0], markersize=3, linewidth=1.0, label=label)
    panel.axhline(apart[0], color="0.5", linewidth=0.8, linestyle=":", label=r"$\delta = 0$")
    panel.set(title="(b) neuron: to the kernel end", xlabel=r"shape $\delta = a^2 - |w|^2$", ylabel="distance")
    panel.legend(fontsize="xx-small", loc="lower left")
