"""The data of a figure on disk: computed once, one netCDF file in the folder, then read for judging and drawing.

A file says what it was made with: every constant of its setting by content, and versions. Data made with another
setting, or by a version that did not write all of it down, are made again, and a line says why. It holds no times and
no dates, so that the same program writes the same bytes again.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import xarray

from comparisons.storage.provenance import provenance
from comparisons.storage.whole_file import write_atomically
from discrete.running.march import whole_runs

from .constants import constants

CONSTANTS, PROVENANCE = "constants", "provenance"
MOST_NAMED = 4


def stored(folder: Path, name: str, *, quick: bool, computed: Callable[[], xarray.Dataset]) -> list[Path]:
    """<folder>/<name>.nc, or <name>_quick.nc; computed unless it is there, made with the setting of today.

    The setting is that of the module of `computed`, see `constants`. Nothing is written where Ctrl-C ends the
    computation: a part of a run is no data.
    """
    path = folder / f"{name}{'_quick' * quick}.nc"
    today = json.dumps(constants(sys.modules[computed.__module__]))
    before = _constants_of(path) if path.exists() else None
    if before != today:
        if before is not None:
            print(f"making {path} again: {_difference(before, today)}", flush=True)
        with whole_runs():
            found = computed()
        found = found.assign_attrs({CONSTANTS: today, PROVENANCE: json.dumps(provenance())})
        write_atomically(path, bytes(found.to_netcdf()))
    return [path]


def load(path: Path) -> xarray.Dataset:
    """The data that `stored` wrote."""
    return xarray.load_dataset(path, engine="h5netcdf")


def _constants_of(path: Path) -> str:
    """The constants that a file says it was made with, as JSON; empty where it does not. ValueError on no data."""
    try:
        with xarray.open_dataset(path, engine="h5netcdf") as found:
            said = found.attrs
    except Exception as error:
        # h5py and xarray raise whatever a damaged file makes them stumble over.
        raise ValueError(f"`out` holds {path}, which is no data of a figure; remove it or choose another.") from error
    versions = _object(said.get(PROVENANCE))
    if versions is None or not all(isinstance(version, str) for version in versions.values()):
        return ""
    return said[CONSTANTS] if _object(said.get(CONSTANTS)) is not None else ""


def _object(text: Any) -> dict[str, Any] | None:
    """What JSON says; None where it is no object, or no JSON."""
    try:
        found = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _difference(before: str, today: str) -> str:
    """What of the setting is not as it was."""
    old, new = _object(before), json.loads(today)
    if old is None:
        return "it does not say with which constants and versions it was made"
    told = {
        "other": [name for name in new if name in old and json.dumps(old[name]) != json.dumps(new[name])],
        "not written down then:": [name for name in new if name not in old],
        "gone:": [name for name in old if name not in new],
    }
    return "constants " + "; ".join(f"{word} {_some(names)}" for word, names in told.items() if names)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
