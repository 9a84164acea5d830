"""The picture of a comparison: loss, sharpness, distance, and how far apart the functions (or the sharpnesses) are."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .comparison import Comparison
from .storage.whole_file import whole_file

STYLE = Path(__file__).with_name("odescent.mplstyle")
METHOD_STYLE = {"color": "black", "linewidth": 0.9, "zorder": 1}
# Okabe and Ito's colours, told apart with any colour vision.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
CROSSING = {"color": "0.75", "linewidth": 0.8, "zorder": 0}
MATRICES = {"sharpness": r"\nabla^2 L", "effective_sharpness": r"P^{-1/2}\, \nabla^2 L\, P^{-1/2}"}
DASHES = ("-", (0, (4, 1.5)), (0, (1.5, 1)), (0, (5, 1.5, 1, 1.5)), (0, (3, 1, 1, 1, 1, 1)))


def plot(comparison: Comparison) -> Figure:
    """Four panels, 6.8 inches wide (two columns), readable in grey too: flows differ in colour and in dashes."""
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(2, 2, figsize=(6.8, 4.6), layout="constrained")
        (loss, sharpness), (distance, gap) = axes
        _loss(loss, comparison)
        _sharpness(sharpness, comparison)
        _distance(distance, comparison)
        _function_or_sharpness_gap(gap, comparison)
        for label, panel in zip("abcd", axes.flat, strict=True):
            panel.set_title(f"({label}) {panel.get_title(loc='left')}", loc="left")
            panel.set_xlabel("step")
            panel.set_xlim(0, max(1, int(comparison.steps[-1])))
        for panel in (loss, distance, gap):
            _mark_crossing(panel, comparison)
        handles, labels = sharpness.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=min(3, len(labels)))
    return figure


def save_figure(figure: Figure, stem: Path) -> list[Path]:
    """Write <stem>.png (300 dots per inch) and <stem>.svg, and close the figure."""
    with plt.style.context(STYLE):
        paths = [stem.with_suffix(suffix) for suffix in (".png", ".svg")]
        for path in paths:
            with whole_file(path) as file:
                kind = path.suffix.removeprefix(".")
                figure.savefig(file, format=kind, metadata={"Date": None} if kind == "svg" else None)
            # One layout for both, which is half of the work.
            figure.set_layout_engine("none")
    plt.close(figure)
    return paths


def method_label(comparison: Comparison) -> str:
    """The method with its hyper-parameters, as in `gradient descent, h = 0.1`."""
    settings = dict(comparison.method)
    name = settings.pop("name").replace("-", " ")
    symbols = {"learning_rate": "h", "momentum": r"\beta", "strong_convexity": "m", "look_ahead": "a"}
    symbols |= {"beta2": r"\beta_2", "epsilon": r"\epsilon"}
    shown = [rf"${symbols.get(key, key)} = {value:g}$" for key, value in settings.items() if isinstance(value, float)]
    return ", ".join([name, *shown])


def flow_label(name: str, order: int | float | None) -> str:
    """The name of a flow with the order that it claims."""
    plain = name if "flow" in name else f"{name.removesuffix(f'-{order}').replace('-', ' ')} flow"
    if order is None:
        return plain
    return f"{plain}, $O(h)$" if order == 1 else f"{plain}, $O(h^{{{order}}})$"


def _each_flow(comparison: Comparison):
    for i, name in enumerate(comparison.flows):
        yield name, {"color": COLOURS[i % len(COLOURS)], "linestyle": DASHES[i % len(DASHES)], "zorder": 2 + i}


def _loss(panel: Axes, comparison: Comparison) -> None:
    panel.set_title("training loss", loc="left")
    panel.set_ylabel(r"$L$")
    rows = [comparison.discrete.observations["loss"]]
    panel.plot(comparison.steps, rows[0], **METHOD_STYLE)
    for name, style in _each_flow(comparison):
        flow = comparison.flows[name]
        rows.append(flow.observations["loss"])
        panel.plot(flow.steps, rows[-1], **style)
    _log_if_positive(panel, np.concatenate(rows))


def _sharpness(panel: Axes, comparison: Comparison) -> None:
    panel.set_title(comparison.limited.replace("_", " "), loc="left")
    panel.set_ylabel(rf"$\lambda_{{\max}}({MATRICES[comparison.limited]})$")
    found = comparison.limited_sharpness()
    panel.plot(comparison.steps, np.full(len(comparison.steps), np.nan) if found is None else found,
               label=method_label(comparison), **METHOD_STYLE)  # fmt: skip
    for name, style in _each_flow(comparison):
        flow, rows = comparison.flows[name], comparison.limited_sharpness(name)
        label = flow_label(name, comparison.orders[name])
        panel.plot(flow.steps, np.full(len(flow.steps), np.nan) if rows is None else rows, label=label, **style)
    if found is None:
        panel.text(0.5, 0.5, "not observed", transform=panel.transAxes, ha="center", color="0.5")
    elif comparison.threshold is not None:
        top = max(panel.get_ylim()[1], 0)
        if comparison.threshold < 3 * top:
            panel.axhline(comparison.threshold, color="0.4", linewidth=0.8, linestyle=":", label="stability threshold")
        if (first := comparison.first_sample_above()) is not None and first > 0:
            panel.axvline(comparison.steps[first], label="first step above it", **CROSSING)


def _distance(panel: Axes, comparison: Comparison) -> None:
    panel.set_title("distance of each flow to the iterates", loc="left")
    panel.set_ylabel(r"$|X(t_n) - x_n|$")
    for name, style in _each_flow(comparison):
        apart = comparison.divergence[name]
        _semilog(panel, apart.steps, apart.distance, style)


def _function_or_sharpness_gap(panel: Axes, comparison: Comparison) -> None:
    apart = list(comparison.divergence.values())
    in_function_space = bool(apart) and apart[0].function_distance is not None
    if in_function_space or comparison.limited_sharpness() is None:
        panel.set_title("distance in function space" if in_function_space else "gap in loss", loc="left")
        panel.set_ylabel(r"rms $|f_{X} - f_{x}|$" if in_function_space else r"$|L(X) - L(x)|$")
        for name, style in _each_flow(comparison):
            found = comparison.divergence[name]
            rows = found.function_distance if in_function_space else found.loss_gap
            _semilog(panel, found.steps, rows, style)
        return
    panel.set_title(f"gap in {comparison.limited.replace('_', ' ')}, flow minus method", loc="left")
    panel.set_ylabel(r"$\lambda_{\max}(X) - \lambda_{\max}(x)$")
    for name, style in _each_flow(comparison):
        found = comparison.divergence[name]
        rows = found.gaps[comparison.limited]
        panel.plot(found.steps, rows.reshape(len(rows), -1)[:, 0], **style)


def _semilog(panel: Axes, steps: np.ndarray, rows: np.ndarray | None, style: dict) -> None:
    """Log scale; the common start, where the gap is zero, has no place on it."""
    if rows is None:
        return
    panel.plot(steps[1:], np.where(rows[1:] > 0, rows[1:], np.nan), **style)
    if np.any(rows[1:] > 0):
        panel.set_yscale("log")


def _log_if_positive(panel: Axes, rows: np.ndarray) -> None:
    if len(rows) and rows.min() > 0 and rows.max() > 5 * rows.min():
        panel.set_yscale("log")


def _mark_crossing(panel: Axes, comparison: Comparison) -> None:
    if (first := comparison.first_sample_above()) is not None and first > 0:
        panel.axvline(comparison.steps[first], **CROSSING)
