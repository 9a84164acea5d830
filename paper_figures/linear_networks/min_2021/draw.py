"""The figure."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray
from matplotlib.figure import Figure

from comparisons.plot import COLOURS, DASHES, STYLE

from .judge import drifts, fallen
from .setting import FALL, IMBALANCES, POWERS


def draw(data: list[xarray.Dataset]) -> Figure:
    """Drift of the imbalance, losses with their bounds, rates against bounds, and distances against width."""
    (found,) = data
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(2, 2, figsize=(6.8, 5.0), layout="constrained")
        _draw_drift(axes[0, 0], found)
        _draw_losses(axes[0, 1], found)
        _draw_rates(axes[1, 0], found)
        _draw_widths(axes[1, 1], found)
    return figure


def _draw_drift(panel: Any, found: xarray.Dataset) -> None:
    rates, labels = found.rate.values, {1: "gradient descent, change", 2: "to the modified flow's"}
    for (order, row), colour, dashes in zip(drifts(found).items(), COLOURS, DASHES, strict=False):
        panel.loglog(rates, row, "o", markersize=3, color=colour, linestyle=dashes, label=labels[order])
    largest = float(found.drift.max())
    panel.axhline(largest, color="black", linewidth=0.8, linestyle=DASHES[2], label="gradient flow, change")
    panel.set(title="(a) imbalance", xlabel="learning rate $h$", ylabel=r"$|\Delta\Lambda| / |\Lambda(0)|$")
    panel.set_xticks(rates, [f"{h:.3f}" for h in rates])
    panel.minorticks_off()
    panel.legend(fontsize="xx-small", loc="center right")


def _draw_losses(panel: Any, found: xarray.Dataset) -> None:
    for size, colour, dashes in zip((1.0, 4.0, 16.0), COLOURS, DASHES, strict=False):
        case = IMBALANCES.index(size)
        loss, bound = found.loss.values[:, case] / found.loss.values[0, case], float(found.bound[case])
        until = np.argmax(loss < 1e-12) + 1
        panel.semilogy(found.time[:until], loss[:until], color=colour, linestyle=dashes, label=f"imbalance {size:g}")
        ends = np.array([0.0, 30 / bound])
        panel.semilogy(ends, np.exp(-bound * ends), color=colour, linewidth=0.6)
    panel.plot([], [], color="0.4", linewidth=0.6, label="bound $e^{-ct}$")
    panel.set(title="(b) orthogonal starts", xlabel="time $t$", ylabel="$L(t) / L(0)$", xlim=(0, 9), ylim=(1e-10, 2))
    panel.legend(fontsize="xx-small")


def _draw_rates(panel: Any, found: xarray.Dataset) -> None:
    rates, bounds, cut = -np.log(FALL) / fallen(found)[0], found.bound.values, len(IMBALANCES)
    panel.loglog(bounds[:cut], rates[:cut], "o-", markersize=3, color=COLOURS[0], label="orthogonal starts")
    panel.loglog(bounds[cut:], rates[cut:], "s", markersize=2.5, color=COLOURS[1], label="random starts")
    ends = np.array([bounds.min(), bounds.max()])
    panel.loglog(ends, ends, color="black", linewidth=0.8, linestyle=DASHES[1], label="bound")
    panel.set(title="(c) rate of the loss down to $10^{-8}$", xlabel="bound $c$", ylabel="$\\log(L(0)/L(t)) / t$")
    panel.legend(fontsize="xx-small")


def _draw_widths(panel: Any, found: xarray.Dataset) -> None:
    for power, colour, marker in zip(POWERS, COLOURS, "os", strict=False):
        rows = found.distance.sel(power=power).values
        low, middle, high = np.quantile(rows, (0.1, 0.5, 0.9), axis=1)
        panel.fill_between(found.width, low, high, color=colour, alpha=0.15, linewidth=0)
        panel.loglog(found.width, middle, marker, markersize=3, color=colour, label=f"entries $N(0, h^{{-{power:g}}})$")
        line = np.exp(np.mean(np.log(middle))) * (found.width / np.exp(np.mean(np.log(found.width)))) ** (0.5 - power)
        panel.loglog(found.width, line, color=colour, linewidth=0.8, label=f"slope ${0.5 - power:g}$")
    panel.set(title="(d) random starts", xlabel="width $h$", ylabel=r"$|U V' - \hat\Theta| / |\hat\Theta|$ at the end")
    panel.legend(fontsize="xx-small", loc="lower left")
