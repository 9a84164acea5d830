"""The runs behind the figure."""

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import xarray

import landscapes
from landscapes import DataLoss, half_squared_error
from landscapes.linear.linear_networks import unbalanced_diagonal_model

from ...frame.interpolators import least_l1, least_l2, least_potential, network_potential
from ...frame.network_ends import flow_end
from ...frame.stored import stored
from .linear_neuron import with_neuron
from .neuron_descent import with_descent
from .setting import DELTAS, EQUAL_ROOT_K, EQUAL_SHAPES, GAPS, QUICK_DELTAS, QUICK_GAPS, SCALE


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
