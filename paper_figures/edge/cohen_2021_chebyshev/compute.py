"""The runs behind the figure."""

from pathlib import Path

import xarray

import discrete
import flows
import landscapes
from discrete import Method

from ...frame.edge_runs import FLOW, edge_run
from ...frame.stored import stored
from .setting import DEGREES, DESCENT, EVERY, MOMENTUM, QUICK_DEGREES, QUICK_MOMENTUM, QUICK_STEPS, STEPS


def compute(folder: Path, *, quick: bool) -> list[Path]:
    """One netCDF file for each method and degree."""
    paths, momentum = [], {name: MOMENTUM[name] for name in (QUICK_MOMENTUM if quick else MOMENTUM)}
    for name, method in {"gradient_descent": DESCENT, **momentum}.items():
        for degree in QUICK_DEGREES if quick else DEGREES:
            case = f"cohen_2021_chebyshev_{name}_degree{degree}"
            paths += stored(folder, case, quick=quick, computed=lambda: _run(name, method, degree, quick))
    return paths


def _run(name: str, method: Method, degree: int, quick: bool) -> xarray.Dataset:
    found = edge_run(
        method,
        {FLOW: flows.GradientFlow(method)} if isinstance(method, discrete.GradientDescent) else {},
        landscapes.chebyshev_mlp(degree=degree),
        steps=QUICK_STEPS if quick else STEPS,
        every=EVERY,
        title=f"degree {degree}, {name}: ",
    )
    return found.assign_attrs(case=name, degree=degree, momentum=float(getattr(method, "momentum", 0.0)))
