"""The data of a figure on disk: computed once, one netCDF file in the folder, then read for judging and drawing.

A file says what it was made with: the constants of the modules that made it, and versions. Data made with other
constants are not taken. It holds no times and no dates, so that the same program writes the same bytes again.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import xarray

from comparisons.storage.provenance import provenance
from comparisons.storage.record import write_atomically
from discrete.running.march import whole_runs

CONSTANTS, PROVENANCE = "constants", "provenance"


def stored(folder: Path, name: str, *, quick: bool, computed: Callable[[], xarray.Dataset]) -> list[Path]:
    """<folder>/<name>.nc, or <name>_quick.nc; computed unless it is there, made with the constants of today.

    Nothing is written where Ctrl-C ends the computation: a part of a run is no data.
    """
    path = folder / f"{name}{'_quick' * quick}.nc"
    today = json.dumps(constants(sys.modules[computed.__module__]))
    if not path.exists() or _constants_of(path) != today:
        with whole_runs():
            found = computed()
        found = found.assign_attrs({CONSTANTS: today, PROVENANCE: json.dumps(provenance())})
        write_atomically(path, bytes(found.to_netcdf()))
    return [path]


def load(path: Path) -> xarray.Dataset:
    """The data that `stored` wrote."""
    return xarray.load_dataset(path)


def _constants_of(path: Path) -> str | None:
    """The constants that a file says it was made with, as JSON; None where it does not. ValueError if it is no data."""
    try:
        with xarray.open_dataset(path) as found:
            return found.attrs.get(CONSTANTS)
    except (OSError, ValueError, TypeError) as error:
        raise ValueError(f"`out` holds {path}, which is no data of a figure; remove it or choose another.") from error


def constants(module: ModuleType) -> dict[str, Any]:
    """Sizes, rates, seeds: the constants that are numbers, texts, or tuples or dicts of them.

    NAME of the module that computes, and <module>.NAME of those of `paper_figures` whose functions it uses.
    """
    found = _own(module)
    for companion in _companions(module):
        prefix = companion.__name__.removeprefix(f"{__package__}.")
        found |= {f"{prefix}.{name}": value for name, value in _own(companion).items()}
    return found


def _own(module: ModuleType) -> dict[str, Any]:
    return {name: value for name, value in vars(module).items() if name.isupper() and _is_plain(value)}


def _companions(module: ModuleType) -> list[ModuleType]:
    """The modules of this folder that it takes something from, and those that they take something from."""
    found, left = {module.__name__, __name__}, [module]
    for one in left:
        used = {value if isinstance(value, ModuleType) else _home(value) for value in vars(one).values()}
        new = [home for home in used if home is not None and home.__name__ not in found and _is_beside(home)]
        found |= {home.__name__ for home in new}
        left += new
    return sorted(left[1:], key=lambda companion: companion.__name__)


def _home(value: Any) -> ModuleType | None:
    """The module of a function or a class."""
    return sys.modules.get(value.__module__) if isinstance(value, FunctionType | type) else None


def _is_beside(module: ModuleType) -> bool:
    return module.__name__.startswith(f"{__package__}.")


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_plain, value)) and all(map(_is_plain, value.values()))
    if isinstance(value, tuple):
        return all(map(_is_plain, value))
    return isinstance(value, bool | int | float | str)
