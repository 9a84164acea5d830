"""A comparison from the netCDF file that was written of it."""

import json
from pathlib import Path

import numpy as np
import xarray as xr

from discrete import Cost, Status, Trajectory
from discrete.running.status import status_in_words
from landscapes import Column
from landscapes.instruments.reading import Role

from ..comparison import Comparison
from ..divergence.path import Divergence
from .dataset import APART, GAP, METHOD, PREDICTED
from .whole_file import expanded


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
        solver_errors=json.loads(data.attrs.get("solver_errors", "{}")),
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
