"""A comparison as an xarray.Dataset and as a netCDF file, and back."""

import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import h5netcdf
import numpy as np
import xarray as xr
from xarray.backends import H5NetCDFStore

from discrete import Cost, Status, Trajectory
from discrete.running.status import status_in_words
from landscapes import Column
from landscapes.instruments.reading import Role

from ..comparison import Comparison
from ..divergence.path import Divergence
from .whole_file import expanded, write_atomically

METHOD, MEMBER = "discrete", "member"
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


def to_dataset(comparison: Comparison) -> xr.Dataset:
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
            "provenance": json.dumps(comparison.provenance),
        }
        | ({"member_endings": json.dumps(endings)} if endings else {}),
    )


def save(comparison: Comparison, path: str | Path) -> Path:
    """Write the dataset as netCDF, all of it or none; parameters are not saved. OSError names the file."""
    path = expanded(path, "path")
    path.parent.mkdir(parents=True, exist_ok=True)
    # HDF5 crashes the process on a full disk: it works in memory, and what comes out is written like any other file.
    content = io.BytesIO()
    with h5netcdf.File(content, "w") as file:
        to_dataset(comparison).dump_to_store(H5NetCDFStore(file))
    write_atomically(path, content.getvalue())
    return path


def load(path: str | Path) -> Comparison:
    """The comparison that `save` wrote; its trajectories carry no params. ValueError if the file holds none."""
    path = expanded(path, "path")
    if not path.is_file():
        raise ValueError(f"`path` {path} does not exist; pass the comparison.nc of a run folder.")
    try:
        with xr.open_dataset(path, engine="h5netcdf") as file:
            data = file.load()
    except OSError as error:
        raise ValueError(f"`path` {path} cannot be read as netCDF: {error}.") from error
    if "statuses" not in data.attrs:
        raise ValueError(f"`path` {path} holds no comparison; pass a file written by Comparison.save.")
    costs = json.loads(data.attrs["costs"])
    names = [str(side) for side in data["side"].values]
    counts = dict(zip(names, map(int, data["samples"].values), strict=True))
    gaps = [str(name).removeprefix(GAP) for name in data if str(name).startswith(GAP)]
    skip = {"samples", "time", *APART, *(GAP + name for name in gaps)}
    observed = [str(name) for name in data if name not in skip and not str(name).startswith(PREDICTED)]
    predicted = json.loads(data.attrs.get("predictions", "{}"))
    columns, endings = _columns(data, observed), _endings(data)
    of_members = {
        name: tuple(Status(**told) for told in many)
        for name, many in json.loads(data.attrs.get("member_endings", "{}")).items()
    }

    def rows(name: str, dimension: str, which: str) -> np.ndarray:
        return data[name].sel({dimension: which}).values[: counts[which]]

    def trajectory(side: str) -> Trajectory:
        observations = {name: rows(name, "side", side) for name in observed}
        steps = data["step"].values[: counts[side]]
        cost = Cost(**costs[side])
        kept = 1 + (side in of_members)
        predictions = {name: _narrowed(rows(PREDICTED + name, "flow", side), kept) for name in predicted.get(side, [])}
        return Trajectory(
            steps,
            _common(rows("time", "side", side)),
            observations,
            None,
            endings[side],
            cost,
            predictions=predictions,
            columns=columns,
            member_statuses=of_members.get(side),
        )

    def apart(flow: str) -> Divergence:
        fields = {name: rows(name, "flow", flow) for name in APART if name in data}
        return Divergence(
            steps=data["step"].values[: counts[flow]],
            gaps={name: rows(GAP + name, "flow", flow) for name in gaps},
            **fields,
        )

    threshold = float(data.attrs["threshold"])
    return Comparison(
        problem=data.attrs["problem"],
        method=json.loads(data.attrs["method"]),
        discrete=trajectory(METHOD),
        flows={name: trajectory(name) for name in names[1:]},
        divergence={name: apart(name) for name in names[1:]},
        orders=json.loads(data.attrs["orders"]),
        threshold=None if np.isnan(threshold) else threshold,
        provenance=json.loads(data.attrs["provenance"]),
        notes=json.loads(data.attrs.get("notes", "{}")),
    )


def _endings(data: xr.Dataset) -> dict[str, Status]:
    """How the sides ended; version 0.1.0 wrote the words alone."""
    if "endings" in data.attrs:
        return {name: Status(**told) for name, told in json.loads(data.attrs["endings"]).items()}
    return {name: status_in_words(words) for name, words in json.loads(data.attrs["statuses"]).items()}


def _columns(data: xr.Dataset, observed: list[str]) -> dict[str, Column]:
    """What the observations are; version 0.1.0 told by the ends of their names."""
    if "columns" in data.attrs:
        return {name: Column(*told) for name, told in json.loads(data.attrs["columns"]).items()}
    former: dict[str, Role] = {"_residual": "diagnostic", "_hessian_products": "cost"}
    found = {}
    for name in observed:
        roles: list[Role] = [role for end, role in former.items() if name.endswith(end)]
        found[name] = Column(name, roles[0] if roles else "value", data[name].attrs.get("units", ""))
    return found


def _padded(found: list[np.ndarray], length: int) -> np.ndarray:
    """Sides of different lengths and widths as one array, NaN where a side has nothing."""
    widths = np.max([values.shape[1:] for values in found], axis=0).astype(int)
    full = np.full((len(found), length, *widths), np.nan)
    for row, values in zip(full, found, strict=True):
        row[tuple(map(slice, values.shape))] = values
    return full


def _narrowed(rows: np.ndarray, kept: int) -> np.ndarray:
    """Without the columns that only wider predictions of other flows have. kept: axes of samples and members."""
    if rows.ndim != kept + 1 or not rows.size:
        return rows
    return rows[..., ~np.isnan(rows).all(axis=tuple(range(kept)))]


def _common(times: np.ndarray) -> np.ndarray:
    """Times (samples,) where all members have the same."""
    if times.ndim == 1 or not times.size:
        return times
    known = times[:, [np.argmax(np.sum(~np.isnan(times), axis=0))]]
    return known[:, 0] if np.all((times == known) | np.isnan(times)) else times


def _extra(name: str, of_side: np.ndarray, within: int) -> list[str]:
    return [f"{name}{INDEX}{i or ''}" for i in range(of_side.ndim - 1 - within)]
