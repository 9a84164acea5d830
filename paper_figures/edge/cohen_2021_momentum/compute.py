"""The runs behind the figure."""

from pathlib import Path

import numpy as np
import xarray

import discrete
import landscapes

from ...frame.edge_runs import edge_run
from ...frame.stored import stored
from .setting import (
    CASES,
    EDGES,
    EVERY,
    KINDS,
    MOMENTA,
    QUADRATIC_EVERY,
    QUADRATIC_STEPS,
    QUICK_STEPS,
    SHARES,
    SPECTRUM,
    STEPS,
)


def compute(folder: Path, *, quick: bool) -> list[Path]:
    """One netCDF file of the quadratics, and one of each run on the digits."""
    name, steps = "cohen_2021_momentum", QUICK_STEPS if quick else STEPS
    paths = stored(folder, f"{name}_quadratics", quick=quick, computed=_quadratics)
    for kind, rate, momentum in CASES:
        case = f"{name}_{kind.replace(' ', '_').lower()}_b{momentum:g}_h{rate:g}"
        paths += stored(folder, case, quick=quick, computed=lambda: _digits(kind, rate, momentum, steps))
    return paths


def _quadratics() -> xarray.Dataset:
    apart = [[[_distances(kind, b, share) for share in SHARES] for b in MOMENTA] for kind in KINDS]
    dims = ("kind", "momentum", "share", "step")
    return xarray.Dataset(
        {"distance": (dims, apart, {"long_name": "|x_n - m| / |x_0 - m|, up to where it is past 1e6"})},
        coords={
            "kind": list(KINDS),
            "momentum": list(MOMENTA),
            "share": ("share", list(SHARES), {"long_name": "sharpness over threshold"}),
            "step": np.arange(0, QUADRATIC_STEPS + 1, QUADRATIC_EVERY),
        },
    )


def _distances(kind: str, momentum: float, share: float) -> np.ndarray:
    """Of a run on a quadratic whose largest eigenvalue is 1; NaN after it has diverged."""
    problem = landscapes.quadratic(eigenvalues=SPECTRUM)
    run = discrete.run(
        KINDS[kind](share * EDGES[kind](momentum), momentum),
        problem.loss,
        problem.params,
        steps=QUADRATIC_STEPS,
        every=QUADRATIC_EVERY,
        observe={"distance": landscapes.parameter_norm},
    )
    distance = run.observations["distance"] / run.observations["distance"][0]
    return np.pad(distance, (0, QUADRATIC_STEPS // QUADRATIC_EVERY + 1 - len(distance)), constant_values=np.nan)


def _digits(kind: str, rate: float, momentum: float, steps: int) -> xarray.Dataset:
    method, title = KINDS[kind](rate, momentum), f"{kind}, b = {momentum}: "
    return edge_run(method, {}, landscapes.digits_mlp(), steps=steps, every=EVERY, title=title).assign_attrs(
        kind=kind, momentum=momentum, threshold=EDGES[kind](momentum) / rate
    )
