"""The data of a figure on disk: computed once, one netCDF file in the folder, then read for judging and drawing.

A file says what it was made with: the constants of its paper's module, and versions. Data made with other constants are
not taken. It holds no times and no dates, so that the same program writes the same bytes again.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import xarray

from comparisons.provenance import provenance
from comparisons.record import write_atomically
from discrete.loop import whole_runs

CONSTANTS, PROVENANCE = "constants", "provenance"


def stored(folder: Path, name: str, *, quick: bool, computed: Callable[[], xarray.Dataset]) -> list[Path]:
    """<folder>/<name>.nc, or <name>_quick.nc; computed unless it is there, made with the constants of today.

    Nothing is written where Ctrl-C ends the computation: a part of a run is no data.
    """
    path = folder / f"{name}{'_quick' * quick}.nc"
    today = json.dumps(constants(sys.modules[computed.__module__]))
    if not path.exists() or made_with(path).get(CONSTANTS) != today:
        with whole_runs():
            found = computed()
        found = found.assign_attrs({CONSTANTS: today, PROVENANCE: json.dumps(provenance())})
        write_atomically(path, bytes(found.to_netcdf()))
    return [path]


def load(path: Path) -> xarray.Dataset:
    """The data that `stored` wrote."""
    return xarray.load_dataset(path)


def made_with(path: Path) -> dict[str, Any]:
    """What a file says it was made with, as JSON texts: `constants`, `provenance`. ValueError if it is no such file."""
    try:
        with xarray.open_dataset(path) as found:
            return {key: found.attrs[key] for key in (CONSTANTS, PROVENANCE) if key in found.attrs}
    except (OSError, ValueError, TypeError) as error:
        raise ValueError(f"`out` holds {path}, which is no data of a figure; remove it or choose another.") from error


def constants(paper: ModuleType) -> dict[str, Any]:
    """The constants of a paper's module that are numbers, texts, or tuples of them: sizes, rates, seeds."""
    return {name: value for name, value in vars(paper).items() if name.isupper() and _is_plain(value)}


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_plain, value))
    return isinstance(value, bool | int | float | str)
