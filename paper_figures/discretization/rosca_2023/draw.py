"""The figure."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray
from matplotlib.figure import Figure

from comparisons.plot import COLOURS, DASHES, STYLE

from .judge import LEFT, crossing, departure
from .setting import FLOWS, SMOOTH

SHOWN = 7


def draw(data: list[xarray.Dataset]) -> Figure:
    """The quadratic below and above h l = 2, rates, errors on the toy; the network along its run and from its start."""
    (found,) = data
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(2, 3, figsize=(6.8, 4.9), layout="constrained")
        _draw_plane(axes[0, 0], found, 1.8, "(a)")
        _draw_plane(axes[0, 1], found, 2.1, "(b)")
        _draw_rates(axes[0, 2], found)
        _draw_errors(axes[1, 0], found)
        _draw_network(axes[1, 1], found)
        _draw_start(axes[1, 2], found)
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=5)
    return figure


def _looks() -> dict[str, dict[str, Any]]:
    return {
        name: {"color": colour, "linestyle": dashes}
        for name, colour, dashes in zip(FLOWS, (COLOURS[0], COLOURS[2], COLOURS[4], COLOURS[1]), DASHES, strict=False)
    }


def _draw_plane(panel: Any, found: xarray.Dataset, z: float, letter: str) -> None:
    here, looks = found.sel(z=z), _looks()
    times = np.linspace(0, SHOWN, 40 * SHOWN + 1)
    for name in SMOOTH:
        # Exponentials between the whole steps.
        path = here.path.sel(flow=name).values[: SHOWN + 1]
        sizes = [np.interp(times, np.arange(SHOWN + 1), np.log(np.maximum(np.abs(x), 1e-300))) for x in path.T]
        curve = np.sign(path[0])[:, None] * np.exp(sizes)
        panel.plot(*curve, **looks[name], linewidth=1.0, label=name)
    # The closed form on a quadratic, (1 - h l)^(t/h) x_0, its real part.
    factors = 1 - here.curvature.values[:, None] + 0j
    curve = np.real(factors**times * here.iterates.values[0][:, None])
    panel.plot(*curve, **looks["principal"], label="principal flow")
    panel.plot(*here.iterates.values[: SHOWN + 1].T, "o", color="black", markersize=3, label="gradient descent")
    panel.set(title=f"{letter} quadratic, $h\\lambda = {z}$", xlabel=r"$x_1$", ylabel=r"$x_2$")


def _draw_rates(panel: Any, found: xarray.Dataset) -> None:
    z, looks = np.linspace(0.01, 2.6, 400), _looks()
    terms = {"gradient flow": -1 + 0 * z, "order 2": -1 - z / 2, "order 3": -1 - z / 2 - z**2 / 3}
    for name, values in terms.items():
        panel.plot(z, values, **looks[name], linewidth=1.0)
    panel.plot(z, np.log(np.abs(1 - z)) / z, **looks["principal"])
    usable = found.sel(z=found.z != 1.0)
    path = np.abs(usable.iterates.isel(component=0).values)
    panel.plot(usable.z, np.log(path[:, 1] / path[:, 0]) / usable.z, "o", color="black", markersize=3)
    panel.axhline(0, color="0.6", linewidth=0.6)
    panel.axvline(2, color="0.6", linewidth=0.6, linestyle=":")
    panel.set(title="(c) rate of an eigendirection", xlabel=r"$h\lambda$", ylabel=r"growth / $h\lambda$ a step")
    panel.set_ylim(-4, 0.7)


def _draw_errors(panel: Any, found: xarray.Dataset) -> None:
    for name, look in _looks().items():
        panel.loglog(found.rate, found.error.sel(flow=name), **look, marker="o", markersize=2.5)
    for size in found.predicted_error.values:
        panel.loglog(found.rate, size * (found.rate / found.rate[-1]) ** 2, color="0.8", linewidth=4, zorder=0)
    panel.plot([], [], color="0.8", linewidth=4, label="$h^2 |E|$, terms left out")
    panel.legend(fontsize="xx-small", loc="upper left")
    panel.set_ylim(top=0.2)
    ticks = found.rate.values[[0, len(found.rate) // 2, -1]]
    panel.set_xticks(ticks, [f"{h:.2g}" for h in ticks])
    panel.minorticks_off()
    panel.set(title="(d) toy of two valleys, $t = 1$", xlabel="$h$", ylabel=r"$\max |x_n - X(nh)|$")


def _draw_network(panel: Any, found: xarray.Dataset) -> None:
    error = found.apart.isel(later=0)
    for name, look in _looks().items():
        panel.semilogy(found.window, error.sel(flow=name), **look, linewidth=0.9)
    panel.axhline(LEFT, color="0.6", linewidth=0.6, linestyle=":")
    panel.axvline(crossing(found), color="0.6", linewidth=0.6)
    panel.axvline(departure(found), color="0.6", linewidth=0.6, linestyle="--")
    panel.set(title="(e) digits network", xlabel="step $n$", ylabel="relative error of a step")
    panel.set_ylim(top=30)
    for step, text in ((crossing(found), r"$h\lambda = 2$"), (departure(found), "swings")):
        panel.text(step - 8, 25, text, fontsize="xx-small", rotation=90, ha="right", va="top", color="0.4")
    right = panel.twinx()
    right.plot(found.network_step, found.sharpness, color="0.6", linewidth=0.8)
    right.set_ylabel(r"$h\lambda_{\max}$ (grey)", color="0.4")
    right.set_ylim(0, 5)
    right.spines["right"].set_visible(True)


def _draw_start(panel: Any, found: xarray.Dataset) -> None:
    for name, look in _looks().items():
        panel.loglog(found.start_z, found.apart_from_start.isel(later=0).sel(flow=name), **look)
    panel.axhline(LEFT, color="0.6", linewidth=0.6, linestyle=":")
    panel.set(title="(f) digits network, first step", xlabel=r"$h\lambda_{\max}$", ylabel="relative error of a step")
