"""A comparison as an xarray.Dataset and as a netCDF file."""

import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import h5netcdf
import numpy as np
import xarray as xr
from xarray.backends import H5NetCDFStore

from discrete.running.run import METHOD

from ..findings import Findings
from .whole_file import expanded, write_atomically

MEMBER = "member"
GAP, PREDICTED, INDEX = "gap_", "predicted_", "_index"
APART = {
    "distance": ("|X - x|", "params"),
    "relative_distance": ("|X - x| / |x - x_0|", "1"),
    "angle": ("angle between X - x_0 and x - x_0", "rad"),
    "across": ("part of X - x across the top eigenvectors", "params"),
    "along": ("|<u_i, X - x>| along the top eigenvectors", "params"),
    "function_distance": ("root mean squared distance of outputs", "outputs"),
}
RESERVED = {"samples", "time", "step", "side", "flow", *APART}


def check_names(observe: Iterable[str], *, members: bool = False) -> None:
    """ValueError on an observable whose name the dataset needs for something else. members: of an ensemble."""
    for name in observe:
        if (
            name in RESERVED
            or (members and name == MEMBER)
            or name.startswith((GAP, PREDICTED))
            or name.endswith(INDEX)
        ):
            raise ValueError(
                f"`observe` may not use the name {name!r}: a comparison keeps {', '.join(sorted(RESERVED))}, {GAP}..., "
                f"{PREDICTED}... and ...{INDEX} for itself."
            )


def to_dataset(comparison: Findings) -> xr.Dataset:
    """Dimensions: step; side (the method first, then its flows); flow; <name>_index for vector observations.

    Variables: one per observable (side, step, ...), `distance`, `relative_distance`, `angle`, `along`, `across`,
    `function_distance` and `gap_<observable>` (flow, step, ...), `time` (side, step); `predicted_<name>` (flow, step,
    ...) of the flows that predict it, NaN for the others. A side that stopped early is NaN from there on; `samples`
    (side) says how many are its own, and the attribute `statuses` why.

    Of an ensemble, `member` comes after step in all but `samples`, and in `time` only where members have other learning
    rates. A member is NaN after its end; the attribute `member_endings` says what that was.
    """
    sides = {METHOD: comparison.discrete, **comparison.flows}
    units_of = {name: column.units for name, column in comparison.discrete.columns.items()}
    check_names(comparison.discrete.observations, members=comparison.members is not None)
    length = len(comparison.steps)
    variables: dict[str, Any] = {}
    members = comparison.members
    of_members = [] if members is None else [MEMBER]

    def add(name: str, side: str, found: list[np.ndarray], within: list[str] = of_members, **attributes: str) -> None:
        rows = _padded(found, length)
        variables[name] = ((side, "step", *within, *_extra(name, rows[0], len(within))), rows, attributes)

    variables["samples"] = ("side", [len(t.steps) for t in sides.values()], {"long_name": "samples of this side"})
    clocks, common = [t.times for t in sides.values()], all(t.times.ndim == 1 for t in sides.values())
    if not common:
        clocks = [np.broadcast_to(times.reshape(len(times), -1), (len(times), members or 1)) for times in clocks]
    add("time", "side", clocks, [] if common else of_members, units="learning rate x steps")
    for name in comparison.discrete.observations:
        rows = [t.observations[name] for t in sides.values()]
        add(name, "side", rows, units=units_of.get(name, ""))
    apart = list(comparison.divergence.values())
    if apart:
        for name, (meaning, units) in APART.items():
            if getattr(apart[0], name) is not None:
                add(name, "flow", [getattr(one, name) for one in apart], long_name=meaning, units=units)
        for name in apart[0].gaps:
            gaps = [one.gaps[name] for one in apart]
            add(GAP + name, "flow", gaps, long_name=f"flow minus method: {name}", units=units_of.get(name, ""))
    for name in sorted({name for flow in comparison.flows.values() for name in flow.predictions}):
        shape = next(f.predictions[name].shape[1:] for f in comparison.flows.values() if name in f.predictions)
        rows = [flow.predictions.get(name, np.empty((0, *shape))) for flow in comparison.flows.values()]
        add(
            PREDICTED + name,
            "flow",
            rows,
            long_name=f"predicted by the flow: {name}",
            units=units_of.get(name, ""),
        )
    endings = {
        name: [status.described() for status in t.member_statuses] for name, t in sides.items() if t.member_statuses
    }
    coords = {"step": comparison.steps, "side": list(sides), "flow": list(comparison.flows)}
    return xr.Dataset(
        variables,
        coords=coords if members is None else coords | {MEMBER: np.arange(members)},
        attrs={
            "problem": comparison.problem,
            "method": json.dumps(comparison.method),
            "orders": json.dumps(comparison.orders),
            "threshold": np.nan if comparison.threshold is None else comparison.threshold,
            "statuses": json.dumps({name: t.status for name, t in sides.items()}),
            "endings": json.dumps({name: t.status.described() for name, t in sides.items()}),
            "columns": json.dumps({name: list(column) for name, column in comparison.discrete.columns.items()}),
            "costs": json.dumps({name: t.cost._asdict() for name, t in sides.items()}),
            "predictions": json.dumps({name: list(flow.predictions) for name, flow in comparison.flows.items()}),
            "notes": json.dumps(comparison.notes),
            "solver_errors": json.dumps(comparison.solver_errors),
            "provenance": json.dumps(comparison.provenance),
        }
        | ({"member_endings": json.dumps(endings)} if endings else {}),
    )


def save(comparison: Findings, path: str | Path) -> Path:
    """Write the dataset as netCDF, all of it or none; parameters are not saved. OSError names the file."""
    path = expanded(path, "path")
    path.parent.mkdir(parents=True, exist_ok=True)
    # HDF5 crashes the process on a full disk: it works in memory, and what comes out is written like any other file.
    content = io.BytesIO()
    with h5netcdf.File(content, "w") as file:
        to_dataset(comparison).dump_to_store(H5NetCDFStore(file))
    write_atomically(path, content.getvalue())
    return path


def _padded(found: list[np.ndarray], length: int) -> np.ndarray:
    """Sides of different lengths and widths as one array, NaN where a side has nothing."""
    widths = np.max([values.shape[1:] for values in found], axis=0).astype(int)
    full = np.full((len(found), length, *widths), np.nan, np.result_type(float, *found))
    for row, values in zip(full, found, strict=True):
        row[tuple(map(slice, values.shape))] = values
    return full


def _extra(name: str, of_side: np.ndarray, within: int) -> list[str]:
    return [f"{name}{INDEX}{i or ''}" for i in range(of_side.ndim - 1 - within)]
