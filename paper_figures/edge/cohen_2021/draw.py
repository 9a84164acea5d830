"""The figure."""

import xarray
from matplotlib.figure import Figure

from ...frame.edge_picture import draw_runs


def draw(runs: list[xarray.Dataset]) -> Figure:
    """Loss, sharpness and distance to gradient flow of every learning rate."""
    return draw_runs(runs)
