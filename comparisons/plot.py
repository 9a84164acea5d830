"""The picture of a comparison: loss, sharpness, distance, and how far apart the functions (or the sharpnesses) are."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D

from .findings import Findings
from .plot_labels import flow_label as flow_label, method_label as method_label, width, wrapped
from .plot_panels import (
    COLOURS as COLOURS,
    DASHES as DASHES,
    PANELS,
    STAR,
    draw_panel,
    flow_styles,
    method_style,
)
from .storage.whole_file import whole_file

STYLE = Path(__file__).with_name("odescent.mplstyle")
OURS = "odescent"
# Inches: a column of a journal, a panel and a line of the legend; the latter's characters and handles at 7 points.
COLUMN, PANEL, LINE, CHARACTER, HANDLE = 3.4, 2.15, 0.14, 0.052, 0.45
LONGEST = 60


def plot(
    comparison: Findings,
    *,
    panels: str | Sequence[str] | None = None,
    axes: Axes | Sequence[Axes] | np.ndarray | None = None,
    style: Any = OURS,
) -> Figure:
    """Loss, sharpness, distance and distance in function space against the step, 6.8 inches (two columns) wide.

    panels: which, in which order: "loss", "sharpness" (the effective one where that is observed), "distance",
        "function_distance", "sharpness_gap", "loss_gap". None takes the first four, with a gap in the place of the
        function distance where there are no predictions, and without flows the first two.
    axes: as many as panels, drawn into and otherwise left alone; no letters and no legend, but every curve carries its
        label: `ax.legend()` shows them. None makes a new figure with one legend for all.
    style: what `matplotlib.style.use` takes, in force while the figure is made and not after; None is the rcParams as
        they are. The default is ours (odescent.mplstyle) except for every rcParam that differs from matplotlib's own
        default: what you have set wins, `axes.prop_cycle` and `figure.figsize` too. With `axes` the default is None.

    Of a flow that predicts loss or sharpness of the oscillating iterates, such as `EdgeFlow`, the prediction is drawn,
    marked by a star, and not that of its params. Where the method is `discrete.TimeAveraged`, whose loss is that of the
    averaged iterates, that of the flow's params is beside it, and the predicted loss of the iterates is a thin line.

    Readable in grey too: flows differ in colour and in dashes. Logarithmic where the values allow it. Raises ValueError
    on panels that do not exist and on axes that are not as many as the panels.
    """
    names = _default_panels(comparison) if panels is None else [panels] if isinstance(panels, str) else list(panels)
    for name in names:
        if name not in PANELS:
            raise ValueError(f"`panels` has {name!r}; there are: {', '.join(PANELS)}.")
    if not names:
        raise ValueError(f"`panels` is empty; name at least one of: {', '.join(PANELS)}.")
    if axes is None:
        with style_context(style):
            return _new_figure(comparison, names)
    places = [axes] if isinstance(axes, Axes) else list(np.asarray(axes, dtype=object).ravel())
    if len(places) != len(names):
        raise ValueError(
            f"`axes` has {len(places)} for {len(names)} panels: {', '.join(names)}; say which by `panels`."
        )
    with style_context(None if isinstance(style, str) and style == OURS else style):
        for name, place in zip(names, places, strict=True):
            draw_panel(name, place, comparison)
    figure = places[0].get_figure(root=True)
    assert figure is not None
    return figure


def save_figure(figure: Figure, stem: Path) -> list[Path]:
    """Write <stem>.png (300 dots per inch) and <stem>.svg, and close the figure."""
    with style_context():
        paths = [stem.with_suffix(suffix) for suffix in (".png", ".svg")]
        for path in paths:
            with whole_file(path) as file:
                kind = path.suffix.removeprefix(".")
                figure.savefig(file, format=kind, metadata={"Date": None} if kind == "svg" else None)
            # One layout for both, which is half of the work.
            figure.set_layout_engine("none")
    plt.close(figure)
    return paths


def style_context(style: Any = OURS) -> AbstractContextManager:
    """For a `with` block, `style` as in `plot`: ours but for what the user has set, another, or (None) none."""
    if style is None:
        return plt.rc_context()
    if not (isinstance(style, str) and style == OURS):
        return plt.style.context(style)
    ours = mpl.rc_params_from_file(STYLE, use_default_template=False)
    return plt.rc_context({key: value for key, value in ours.items() if not _is_set(key)})


def _is_set(key: Any) -> bool:
    """Whether the user, or a style that is in force, has set it: whether it differs from matplotlib's default."""
    return mpl.rcParams[key] != mpl.rcParamsDefault[key]


def _default_panels(comparison: Findings) -> list[str]:
    if not comparison.flows:
        return ["loss", "sharpness"]
    if all(apart.function_distance is not None for apart in comparison.divergence.values()):
        return ["loss", "sharpness", "distance", "function_distance"]
    last = "loss_gap" if comparison.limited_sharpness() is None else "sharpness_gap"
    return ["loss", "sharpness", "distance", last]


def _new_figure(comparison: Findings, names: list[str]) -> Figure:
    columns, rows = min(2, len(names)), -(-len(names) // 2)
    figure = plt.figure(layout="constrained")
    places = [figure.add_subplot(rows, columns, i + 1) for i in range(len(names))]
    for i, (name, place) in enumerate(zip(names, places, strict=True)):
        draw_panel(name, place, comparison)
        if len(names) > 1:
            place.set_title(f"({chr(ord('a') + i)}) {place.get_title(loc='left')}", loc="left")
    if _is_set("figure.figsize"):
        _add_legend(figure, comparison, places)
        return figure
    figure.set_figwidth(COLUMN * columns)
    lines = _add_legend(figure, comparison, places)
    figure.set_figheight(PANEL * rows + LINE * max(2, lines) + 0.02)
    return figure


def _add_legend(figure: Figure, comparison: Findings, places: list[Axes]) -> int:
    """One for all panels, below them, with as many columns as fit; how many lines it has."""
    shown = {
        label: handle for place in places for handle, label in zip(*place.get_legend_handles_labels(), strict=True)
    }
    styles = [method_style(comparison), *(style for _, style in flow_styles(comparison))]
    sides = {style["label"] for style in styles}
    handles: list[Any] = [Line2D([], [], **style) for style in styles]
    labels = [style["label"] + (STAR if style["label"] + STAR in shown else "") for style in styles]
    marks = {label: handle for label, handle in shown.items() if label.removesuffix(STAR) not in sides}
    # Of the two names of one vertical line the shorter, where what it refers to is in the picture.
    if "first step above it" in marks:
        marks.pop("first step above the stability threshold", None)
    labels = [wrapped(label, LONGEST) for label in [*labels, *marks]]
    scale = FontProperties(size=mpl.rcParams["legend.fontsize"]).get_size_in_points() / 7
    widest = scale * (HANDLE + CHARACTER * max(map(width, labels)))
    columns = int(np.clip(figure.get_figwidth() // widest, 1, 3))
    figure.legend([*handles, *marks.values()], labels, loc="outside lower center", ncols=min(columns, len(labels)))
    # Matplotlib fills one column after the other.
    tall = -(-len(labels) // columns)
    return max(sum(label.count("\n") + 1 for label in labels[i : i + tall]) for i in range(0, len(labels), tall))
