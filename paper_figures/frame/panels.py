"""What the panels of all figures keep to: a logarithmic axis has a few labels that do not touch."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullFormatter

from comparisons.plot import STYLE

# Labels that an axis has room for: short decimal numbers, and products with a power of ten.
MOST_SHORT, MOST_LONG = 4, 3
# Written as decimal numbers.
SHORT = (1e-3, 1e4)


def drawn(paper: Any, data: list[xarray.Dataset]) -> Figure:
    """The figure of a paper, its logarithmic axes labelled by `log_ticks` where they show less than two powers of 10.

    Ticks that the paper has set itself stay; minor ticks have no labels.
    """
    figure = paper.draw(data)
    with plt.style.context(STYLE):
        for panel in figure.axes:
            for axis in (panel.xaxis, panel.yaxis):
                _label(axis)
    return figure


def log_ticks(low: float, high: float) -> list[float] | None:
    """Two to a few places for labels on a logarithmic axis from low to high; None where powers of ten will do.

    1, 2 and 5 times a power of ten where at least two of them are inside, or else whole digits, or else round numbers.
    """
    most = MOST_SHORT if SHORT[0] <= low and high < SHORT[1] else MOST_LONG
    powers = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    if _inside(powers, low, high).size >= 2:
        return None
    for digits in ((1, 2, 5), range(1, 10)):
        found = _inside(np.outer(powers, digits).ravel(), low, high)
        if found.size >= 2:
            # Every second or third of more than a few.
            return [float(f"{tick:.3g}") for tick in found[:: -(-found.size // most)]]
    return [float(f"{tick:.6g}") for tick in _inside(np.asarray(MaxNLocator(most).tick_values(low, high)), low, high)]


def _inside(ticks: np.ndarray, low: float, high: float) -> np.ndarray:
    return ticks[(ticks >= low * (1 - 1e-9)) & (ticks <= high * (1 + 1e-9))]


def _label(axis: Axis) -> None:
    if axis.get_scale() != "log":
        return
    axis.set_minor_formatter(NullFormatter())
    if isinstance(axis.get_major_locator(), FixedLocator):
        return
    ticks = log_ticks(*sorted(axis.get_view_interval()))
    if ticks is not None:
        axis.set_major_locator(FixedLocator(ticks))
        axis.set_major_formatter(FixedFormatter([_written(tick) for tick in ticks]))


def _written(tick: float) -> str:
    """As a decimal number, or with a power of ten where that is long."""
    if SHORT[0] <= tick < SHORT[1]:
        return f"{tick:g}"
    power = int(np.floor(np.log10(tick) + 1e-9))
    return rf"${tick / 10.0**power:g} \times 10^{{{power}}}$"
