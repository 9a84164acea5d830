"""What `compare` returns: what was found, and the doors to what can be made of it."""

from pathlib import Path
from typing import Any

from .findings import Findings
from .storage.dataset import save, to_dataset


class Comparison(Findings):
    """A method beside its flows; see `Findings` for what it holds."""

    def to_dataset(self):
        """An xarray.Dataset with named dimensions (step, side, flow, ...) and units."""
        return to_dataset(self)

    def save(self, path: str | Path) -> Path:
        """Write the dataset as netCDF; `comparisons.load` reads it back."""
        return save(self, path)

    def plot(self, **options: Any):
        """The figure: loss, sharpness, distance, and function-space distance (or sharpness gap); see `plot.plot`."""
        # Matplotlib takes half a second to import, which a comparison without a picture need not wait for.
        from .plot import plot

        return plot(self, **options)
