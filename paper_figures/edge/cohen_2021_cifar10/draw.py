"""The figure."""

import xarray
from matplotlib.figure import Figure

from ...frame.edge_picture import draw_runs


def draw(runs: list[xarray.Dataset]) -> Figure:
    """Loss and sharpness of every learning rate, and the distance to gradient flow of the first and of the control."""
    return draw_runs(runs)
