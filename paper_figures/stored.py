"""The data of a figure on disk: computed once, one netCDF file in the folder, then read for judging and drawing."""

from collections.abc import Callable
from pathlib import Path

import xarray

from comparisons.record import write_atomically


def stored(folder: Path, name: str, *, quick: bool, computed: Callable[[], xarray.Dataset]) -> list[Path]:
    """<folder>/<name>.nc, or <name>_quick.nc; computed unless it is there."""
    path = folder / f"{name}{'_quick' * quick}.nc"
    if not path.exists():
        write_atomically(path, bytes(computed().to_netcdf()))
    return [path]


def load(path: Path) -> xarray.Dataset:
    """The data that `stored` wrote."""
    return xarray.load_dataset(path)
