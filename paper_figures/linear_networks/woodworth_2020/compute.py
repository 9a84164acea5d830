"""The runs behind the figure."""

from pathlib import Path

import numpy as np
import xarray

import landscapes
from comparisons.console.progress_bar import progress_bar

from ...frame.interpolators import certificate, least_l1, least_l2, least_potential, network_potential
from ...frame.network_ends import diagonal_flow_end
from ...frame.stored import stored
from .diagonal_methods import SCALE as METHOD_SCALE, with_methods
from .setting import DEPTHS, QUICK_DEPTHS, QUICK_SCALES, SCALES


def compute(folder: Path, *, quick: bool) -> list[Path]:
    """One netCDF file: ends of the flow for every depth and scale, convex programs beside them, ends of two methods."""
    sizes = (QUICK_DEPTHS, QUICK_SCALES) if quick else (DEPTHS, SCALES)
    return stored(folder, "woodworth_2020", quick=quick, computed=lambda: _computed(*sizes))


def _computed(depths: tuple[int, ...], scales: tuple[float, ...]) -> xarray.Dataset:
    found, ends = references(depths, scales), []
    cases = [(depth, scale) for depth in depths for scale in scales]
    with progress_bar(title="gradient flow: ") as show:
        for done, case in enumerate(cases):
            show(done, len(cases))
            ends.append(diagonal_flow_end(*case))
    return with_methods(found, diagonal_flow_end(2, METHOD_SCALE)).assign(
        flow=(found.reference.dims, np.reshape(ends, found.reference.shape))
    )


def references(depths: tuple[int, ...], scales: tuple[float, ...]) -> xarray.Dataset:
    """The inputs, and what is known without a flow: interpolators of least l1 and l2 norm and of least Q."""
    loss = landscapes.diagonal_linear().loss
    inputs, targets = np.asarray(loss.inputs), np.asarray(loss.targets)[:, 0]
    sparse = least_l1(inputs, targets)
    least = [[least_potential(network_potential(m, depth), inputs, targets) for m in scales] for depth in depths]
    return xarray.Dataset(
        {
            "inputs": (("example", "entry"), inputs),
            "least_l1": ("entry", sparse),
            "least_l2": ("entry", least_l2(inputs, targets)),
            "certificate": certificate(inputs, sparse),
            "reference": (("depth", "scale", "entry"), least, {"long_name": "interpolator of least Q"}),
        },
        coords={"depth": list(depths), "scale": list(scales)},
    )
