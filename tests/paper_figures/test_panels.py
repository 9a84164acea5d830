"""Labels of logarithmic axes: few, inside, true, and apart from each other in the panels that the papers draw."""

import itertools
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from comparisons.plot import STYLE
from paper_figures.frame.panels import drawn, log_ticks

# Limits of the axes on which labels touched, and others: less than a decade, less than two, more, and extremes.
LIMITS = [(4.3, 95.0), (0.13, 2.3), (0.058, 0.079), (0.9, 1.1), (2.1, 4.9), (1.5e-6, 9e-5), (3e5, 8e5), (1e-3, 1e3)]


def figure_of(limits: list[tuple[float, float]]):
    """As many panels as the papers have, three in a row, with these limits on both axes."""
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(-(-len(limits) // 3), 3, figsize=(6.8, 4.6), layout="constrained")
        for panel, (low, high) in zip(axes.flat, limits, strict=False):
            panel.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high))
    return figure


def labels_of(axis, figure) -> list:
    """The labels, minor ones too, that are drawn inside the axis."""
    with plt.style.context(STYLE):
        figure.draw_without_rendering()
    low, high = sorted(axis.get_view_interval())
    ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
    return [tick.label1 for tick in ticks if tick.label1.get_text() and low <= tick.get_loc() <= high]


def touching(figure) -> int:
    """Pairs of labels of one axis that overlap."""
    count = 0
    for panel in figure.axes:
        for axis in (panel.xaxis, panel.yaxis):
            boxes = [label.get_window_extent() for label in labels_of(axis, figure)]
            count += sum(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
    return count


def test_no_labels_of_an_axis_touch_whatever_its_limits():
    figure = drawn(SimpleNamespace(draw=lambda data: figure_of(LIMITS)), [])
    assert touching(figure) == 0
    for panel, (low, high) in zip(figure.axes, LIMITS, strict=False):
        texts = [label.get_text() for label in labels_of(panel.xaxis, figure)]
        assert 2 <= len(texts) == len(set(texts)), (low, high, texts)
    plt.close(figure)


def test_the_test_sees_labels_that_touch():
    figure = figure_of(LIMITS[:2])
    assert touching(figure) > 0
    plt.close(figure)


def test_labels_that_a_paper_has_set_stay():
    figure = figure_of(LIMITS[:1])
    figure.axes[0].set_xticks([7.0], ["seven"])
    found = drawn(SimpleNamespace(draw=lambda data: figure), [])
    assert [label.get_text() for label in labels_of(found.axes[0].xaxis, figure)] == ["seven"]
    plt.close(figure)


@settings(deadline=None)
@given(st.floats(-12, 12), st.floats(0.01, 6))
def test_ticks_are_inside_and_at_least_two_or_left_to_the_powers_of_ten(start, decades):
    low, high = 10.0**start, 10.0 ** (start + decades)
    ticks = log_ticks(low, high)
    powers = np.floor(np.log10(high) + 1e-9) - np.ceil(np.log10(low) - 1e-9) + 1
    assert (ticks is None) == (powers >= 2)
    if ticks is not None:
        assert 2 <= len(ticks) <= 6 and ticks == sorted(set(ticks))
        assert low * (1 - 1e-5) <= ticks[0] and ticks[-1] <= high * (1 + 1e-5)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (4.3, 95.0, [5.0, 10.0, 20.0, 50.0]),
        (0.13, 2.3, [0.2, 0.5, 1.0, 2.0]),
        (0.058, 0.079, [0.06, 0.07]),
        (1.5e-6, 9e-5, [2e-6, 1e-5, 5e-5]),
        (0.9, 11.0, None),
    ],
)
def test_ticks_of_known_axes(low, high, expected):
    assert log_ticks(low, high) == expected
