"""What each panel of a picture shows: its curves, its scale, its words."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from .findings import Findings, leading, middle
from .plot_axes import log_ticks
from .plot_labels import flow_label, is_averaged, method_label

# Okabe and Ito's colours, told apart with any colour vision.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES = ("-", (0, (4, 1.5)), (0, (1.5, 1)), (0, (5, 1.5, 1, 1.5)), (0, (3, 1, 1, 1, 1, 1)))
CROSSING = {"color": "0.75", "linewidth": 0.8, "zorder": 0}
MATRICES = {"sharpness": r"\nabla^2 L", "effective_sharpness": r"P^{-1/2}\, \nabla^2 L\, P^{-1/2}"}
STAR, NOTHING = " *", "nothing to show"
# Of an ensemble, between the quantiles of which a band is drawn.
BAND = (0.1, 0.9)
# Beyond it matplotlib's margins overflow.
LARGEST = 1e250


class Curve(NamedTuple):
    """One line of a panel: its samples, and how it is drawn.

    band: (2, samples) of an ensemble, whose median the line is.
    """

    steps: np.ndarray
    rows: np.ndarray
    style: dict[str, Any]
    band: np.ndarray | None = None

    @classmethod
    def of(cls, comparison: Findings, steps: np.ndarray, rows: np.ndarray, style: dict[str, Any]) -> "Curve":
        """The line of a run, or the median of an ensemble with its band."""
        if comparison.members is None or rows.ndim == 1:
            return cls(steps, rows, style)
        return cls(steps, middle(rows), style, np.stack([middle(rows, share) for share in BAND]))


def draw_panel(name: str, panel: Axes, comparison: Findings) -> None:
    """Draw the panel of that name, one of PANELS, without a legend."""
    PANELS[name](panel, comparison)
    panel.set_xlabel("step")
    panel.set_xlim(0, max([1, *comparison.steps[-1:]]))
    if panel.get_xscale() == "linear":
        panel.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10], integer=True))
    first = comparison.first_sample_above()
    if first is not None and first > 0:
        label = "first step above it" if name == "sharpness" else "first step above the stability threshold"
        panel.axvline(comparison.steps[first], label=label, **CROSSING)


def method_style(comparison: Findings) -> dict[str, Any]:
    """The method's line: thinner than the others and in the colour of text."""
    thin = 0.75 * mpl.rcParams["lines.linewidth"]
    return {"color": mpl.rcParams["text.color"], "linewidth": thin, "zorder": 1, "label": method_label(comparison)}


def flow_styles(comparison: Findings) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each flow with its line: colour, dashes and label."""
    cycle = mpl.rcParams["axes.prop_cycle"]
    own = [{"color": colour} for colour in COLOURS] if cycle == mpl.rcParamsDefault["axes.prop_cycle"] else list(cycle)
    for i, name in enumerate(comparison.flows):
        label = flow_label(name, comparison.orders[name])
        yield name, {"linestyle": DASHES[i % len(DASHES)], "zorder": 2 + i, "label": label} | own[i % len(own)]


def _loss(panel: Axes, comparison: Findings) -> None:
    averaged = is_averaged(comparison)
    curves = [
        Curve.of(comparison, comparison.steps, comparison.discrete.observations["loss"], method_style(comparison))
    ]
    predicted = []
    for name, style in flow_styles(comparison):
        flow = comparison.flows[name]
        curve = Curve.of(comparison, flow.steps, flow.observations["loss"], style)
        said = flow.predictions.get("loss")
        if said is not None and averaged:
            thin = {"linewidth": 0.5 * mpl.rcParams["lines.linewidth"], "label": None}
            predicted.append(Curve.of(comparison, flow.steps, said, style | thin))
        elif said is not None:
            curve = _starred(comparison, curve, said)
        curves.append(curve)
    note = " (thin: of the iterates, predicted)" if predicted else _note(curves)
    panel.set_title("training loss" + note, loc="left")
    panel.set_ylabel(r"$L$ of the averaged iterates" if averaged else r"$L$")
    _draw(panel, [*curves, *predicted], "log where it is wide")


def _sharpness(panel: Axes, comparison: Findings) -> None:
    found, limited = comparison.limited_sharpness(), comparison.limited
    curves = [Curve.of(comparison, comparison.steps, _or_nothing(found, comparison.steps), method_style(comparison))]
    for name, style in flow_styles(comparison):
        flow = comparison.flows[name]
        curve = Curve.of(comparison, flow.steps, _or_nothing(comparison.limited_sharpness(name), flow.steps), style)
        said = None if found is None or is_averaged(comparison) else flow.predictions.get(limited)
        curves.append(curve if said is None else _starred(comparison, curve, said))
    panel.set_title(limited.replace("_", " ") + _note(curves), loc="left")
    panel.set_ylabel(rf"$\lambda_{{\max}}({MATRICES[limited]})$")
    _draw(panel, curves, "linear", "not observed" if found is None else NOTHING)
    if (
        found is not None
        and comparison.threshold is not None
        and comparison.threshold < 3 * max(panel.get_ylim()[1], 0)
    ):
        panel.axhline(comparison.threshold, color="0.4", linewidth=0.8, linestyle=":", label="stability threshold")


def _distance(panel: Axes, comparison: Findings) -> None:
    to = "the averaged iterates" if is_averaged(comparison) else "the iterates"
    panel.set_title(f"distance of each flow to {to}", loc="left")
    panel.set_ylabel(r"$|X(t_n) - x_n|$")
    _draw_apart(panel, comparison, lambda apart: apart.distance)


def _function_distance(panel: Axes, comparison: Findings) -> None:
    panel.set_title("distance in function space", loc="left")
    panel.set_ylabel(r"rms $|f_{X} - f_{x}|$")
    _draw_apart(panel, comparison, lambda apart: apart.function_distance)


def _loss_gap(panel: Axes, comparison: Findings) -> None:
    panel.set_title("gap in loss", loc="left")
    panel.set_ylabel(r"$|L(X) - L(x)|$")
    _draw_apart(panel, comparison, lambda apart: apart.loss_gap)


def _sharpness_gap(panel: Axes, comparison: Findings) -> None:
    limited = comparison.limited
    panel.set_title(f"gap in {limited.replace('_', ' ')}, flow minus method", loc="left")
    panel.set_ylabel(r"$\lambda_{\max}(X) - \lambda_{\max}(x)$")
    gaps = {name: apart.gaps.get(limited) for name, apart in comparison.divergence.items()}
    curves = [
        Curve.of(comparison, comparison.divergence[name].steps, leading(rows, comparison.members), style)
        for name, style in flow_styles(comparison)
        if (rows := gaps[name]) is not None
    ]
    _draw(panel, curves, "linear", NOTHING if curves else _missing(comparison))


def _draw_apart(panel: Axes, comparison: Findings, rows_of: Callable[[Any], np.ndarray | None]) -> None:
    """Log scale; the common start, where the gap is zero, has no place on it."""
    curves = [
        Curve.of(comparison, comparison.divergence[name].steps[1:], rows[1:], style)
        for name, style in flow_styles(comparison)
        if (rows := rows_of(comparison.divergence[name])) is not None
    ]
    _draw(panel, curves, "log", NOTHING if curves else _missing(comparison))


def _missing(comparison: Findings) -> str:
    return "not observed" if comparison.flows else "no flows"


def _draw(panel: Axes, curves: list[Curve], scale: str, otherwise: str = NOTHING) -> None:
    """All curves on one scale; a value that has no place on it is a gap, a sample without neighbours a dot."""
    found = [_within_reach(curve.rows) for curve in curves]
    values = np.concatenate([rows[~np.isnan(rows)] for rows in found]) if found else np.empty(0)
    visible = values[values > 1 / LARGEST]
    if scale == "log":
        logarithmic = visible.size > 0
    else:
        wide = visible.size > 0 and visible.max() > 5 * visible.min()
        logarithmic = scale != "linear" and visible.size == values.size and wide
    for curve, rows in zip(curves, found, strict=True):
        shown = np.where(rows > 1 / LARGEST, rows, np.nan) if logarithmic else rows
        there = ~np.isnan(shown)
        alone = there.any() and not (there[1:] & there[:-1]).any()
        style: dict[str, Any] = curve.style | ({"marker": ".", "clip_on": False} if alone else {})
        (line,) = panel.plot(curve.steps, shown, **style)
        if curve.band is not None:
            low, high = map(_within_reach, curve.band)
            low = np.where(low > 1 / LARGEST, low, np.nan) if logarithmic else low
            panel.fill_between(curve.steps, low, high, color=line.get_color(), alpha=0.15, linewidth=0, zorder=0)
    if logarithmic:
        panel.set_yscale("log")
        log_ticks(panel.yaxis)
    if not values.size:
        panel.text(0.5, 0.5, otherwise, transform=panel.transAxes, ha="center", color="0.5")


def _within_reach(rows: np.ndarray) -> np.ndarray:
    """In float64, where the largest number that is drawn has a place."""
    rows = np.asarray(rows, float)
    return np.where(np.abs(rows) < LARGEST, rows, np.nan)


def _starred(comparison: Findings, curve: Curve, said: np.ndarray) -> Curve:
    return Curve.of(comparison, curve.steps, said, curve.style | {"label": curve.style["label"] + STAR})


def _note(curves: list[Curve]) -> str:
    starred = any(curve.style["label"].endswith(STAR) for curve in curves)
    return " (* predicted for the iterates)" if starred else ""


def _or_nothing(rows: np.ndarray | None, steps: np.ndarray) -> np.ndarray:
    return np.full(len(steps), np.nan) if rows is None else rows


PANELS: dict[str, Callable[[Axes, Findings], None]] = {
    "loss": _loss,
    "sharpness": _sharpness,
    "distance": _distance,
    "function_distance": _function_distance,
    "sharpness_gap": _sharpness_gap,
    "loss_gap": _loss_gap,
}
