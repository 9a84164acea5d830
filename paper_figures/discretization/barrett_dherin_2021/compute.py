"""The runs behind the figure."""

from pathlib import Path

from ...frame.stored import stored
from . import penalized_runs, product_model
from .setting import CROSS_ENTROPY, QUICK_CROSS_ENTROPY, QUICK_STEPS, SQUARE_LOSS, STEPS


def compute(folder: Path, *, quick: bool) -> list[Path]:
    """A netCDF file of the 2-D model, one of the network, and at full size one of the network with square loss."""
    steps, cross_entropy = (QUICK_STEPS, QUICK_CROSS_ENTROPY) if quick else (STEPS, CROSS_ENTROPY)
    parts = {
        "": lambda: product_model.measured(steps),
        "_cross_entropy": lambda: penalized_runs.measured(cross_entropy),
        "_square_loss": lambda: penalized_runs.measured(SQUARE_LOSS),
    }
    if quick:
        del parts["_square_loss"]
    name = "barrett_dherin_2021"
    return [path for part, make in parts.items() for path in stored(folder, name + part, quick=quick, computed=make)]
