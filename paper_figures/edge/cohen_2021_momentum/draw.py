"""The figure."""

from typing import Any

import matplotlib.pyplot as plt
import xarray
from matplotlib.figure import Figure

from comparisons.plot import COLOURS, DASHES, STYLE

from ...frame.edge_runs import values
from .judge import WRITTEN
from .setting import KINDS, MOMENTA, SHARES


def draw(data: list[xarray.Dataset]) -> Figure:
    """Above the quadratics, 1 % on either side; below the sharpness on the digits, with the thresholds."""
    quadratics, *runs = data
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(2, 2, figsize=(6.8, 4.6), layout="constrained")
        for (above, below), kind, letters in zip(axes.T, KINDS, ("ac", "bd"), strict=True):
            _draw_quadratics(above, quadratics, kind)
            _draw_digits(below, [run for run in runs if run.attrs["kind"] == kind], kind)
            above.set_title(f"({letters[0]}) {kind} on quadratics, 1 % off")
            below.set_title(f"({letters[1]}) {kind} on digits")
    return figure


def _draw_quadratics(panel: Any, quadratics: xarray.Dataset, kind: str) -> None:
    for momentum, colour in zip(MOMENTA, COLOURS, strict=False):
        for share, dashes in zip(SHARES, DASHES, strict=False):
            row = quadratics.distance.sel(kind=kind, momentum=momentum, share=share)
            label = f"$b = {momentum:g}$" if share < 1 else None
            panel.semilogy(quadratics.step, row, color=colour, linestyle=dashes, linewidth=0.9, label=label)
    panel.set(xlabel="step $n$", ylabel=r"$|x_n - m| / |x_0 - m|$", xlim=(0, 1000), ylim=(1e-8, 1e8))
    if kind == "Nesterov":
        title = "dashed: 1 % above"
        panel.legend(fontsize="x-small", loc="center right", title=title, title_fontsize="x-small")


def _draw_digits(panel: Any, runs: list[xarray.Dataset], kind: str) -> None:
    for run, colour, dashes in zip(runs, COLOURS, DASHES, strict=False):
        label = f"$b = {run.attrs['momentum']:g}$, $h = {run.attrs['learning_rate']:g}$"
        panel.plot(run.step, values(run, "sharpness"), color=colour, linestyle=dashes, linewidth=0.9, label=label)
        panel.axhline(run.attrs["threshold"], color=colour, linewidth=0.7, linestyle=":")
    panel.set(xlabel="step $n$", ylabel=r"$\lambda_{\max}(\nabla^2 L)$", xlim=(0, int(runs[0].step[-1])))
    panel.legend(fontsize="x-small", title=f"dotted: ${WRITTEN[kind]}$", title_fontsize="x-small")
