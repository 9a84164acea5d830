"""The figure."""

from typing import Any

import matplotlib.pyplot as plt
import xarray
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from comparisons.plot import COLOURS, DASHES, STYLE
from comparisons.theorems.order import regression

from .judge import expected_variance
from .setting import DURATION, MODELS, SAMPLINGS, SHOWN_RATE


def draw(data: list[xarray.Dataset]) -> Figure:
    """Ends of all orders, errors with both samplings and over many epochs, the coefficient, the batch size."""
    (found,) = data
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(2, 3, figsize=(6.8, 4.6), layout="constrained")
        _draw_cloud(axes[0, 0], found)
        after = "distance after an epoch"
        _draw_errors(axes[0, 1], found.rate, found.error.sel(sampling="reshuffled"), "(b) reshuffled", after)
        _draw_errors(axes[0, 2], found.rate, found.error.sel(sampling="independent"), "(c) independent draws", after)
        title = f"(d) many epochs, $t = {DURATION:g}$"
        _draw_errors(axes[1, 0], found.long_rate, found.long_error, title, "distance")
        _draw_coefficient(axes[1, 1], found)
        _draw_batch_size(axes[1, 2], found)
    return figure


def _draw_cloud(panel: Any, found: xarray.Dataset) -> None:
    panel.plot(*found.order_end.values.T, "o", color="0.75", markersize=3, label="24 orders")
    panel.plot(*found.order_end.values.mean(axis=0), "k+", markersize=9, label="their mean")
    for (name, end), colour, marker in zip(
        zip(MODELS, found.model_end.values, strict=True), COLOURS, "s^o", strict=False
    ):
        panel.plot(*end, marker, color=colour, markersize=4, markerfacecolor="none", label=name)
    panel.set(title=f"(a) one epoch, $h = {SHOWN_RATE:g}$", xlabel="along the variance term", ylabel="across it")
    panel.legend(fontsize="xx-small")


def _draw_errors(panel: Any, rates: xarray.DataArray, errors: xarray.DataArray, title: str, label: str) -> None:
    for model, colour, marker in zip(MODELS, COLOURS, "s^o", strict=False):
        row = errors.sel(model=model)
        slope, _ = regression(rates.values, row.values)
        name = f"{model}: {slope:.2f}"
        panel.loglog(rates, row, marker=marker, markersize=3, linewidth=0.9, color=colour, label=name)
    low, high = panel.get_ylim()
    panel.set(title=title, xlabel="$h$", ylabel=label, ylim=(low, high * (high / low) ** 0.4))
    ends = rates.values[[0, -1]]
    panel.set_xticks(ends, [f"{h:.2g}" for h in ends])
    panel.xaxis.set_minor_locator(NullLocator())
    panel.legend(fontsize="xx-small", loc="upper left", title="flow: slope", title_fontsize="xx-small")


def _draw_coefficient(panel: Any, found: xarray.Dataset) -> None:
    for sampling, colour, dashes in zip(SAMPLINGS, COLOURS, DASHES, strict=False):
        row = found.coefficient.sel(sampling=sampling)
        panel.plot(found.rate, row, "o", color=colour, markersize=3, linestyle=dashes, label=sampling)
    for expected in (0.0, 0.25):
        panel.axhline(expected, color="0.6", linewidth=0.8, zorder=0)
    panel.set(
        title="(e) the variance term",
        xlabel="$h$",
        ylabel=r"$c$ in $c\,h\,$mean$_k|\nabla C_k - \nabla C|^2$",
    )
    panel.set(xlim=(0, None), ylim=(-0.05, 0.3))
    panel.legend(fontsize="xx-small", loc="center right")


def _draw_batch_size(panel: Any, found: xarray.Dataset) -> None:
    sizes, single = found["size"].values, float(found.single_variance)
    panel.loglog(sizes, expected_variance(found), color=COLOURS[0], label=r"$V (N - B) / ((N - 1) B)$")
    panel.loglog(sizes, single / sizes, color="0.6", linestyle=DASHES[1], label="$V / B$")
    panel.loglog(sizes, found.variance, "o", color=COLOURS[1], markersize=4, label="all batches")
    panel.set(
        title="(f) variance of a batch", xlabel="examples in a batch, $B$", ylabel=r"mean $|\nabla C_B - \nabla C|^2$"
    )
    panel.set_xticks(sizes, [str(n) for n in sizes])
    panel.xaxis.set_minor_locator(NullLocator())
    panel.legend(fontsize="xx-small", loc="lower left")
