"""Ticks of logarithmic axes: their labels are true, tell at least two places, and never touch, whatever the range."""

import itertools
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest

from comparisons.plot_axes import log_ticks

RANGES = [
    (3e-2, 8e-2), (0.5, 0.7), (1, 3), (1, 10), (12, 15), (4.2e-5, 9.1e-5), (2e-5, 2.3e-5), (5e-8, 3e-6), (0.2, 30),
    (30, 4000), (5e5, 7e5), (1e-6, 1e-2), (1e-12, 1), (1e-30, 1e5), (1e-250, 1e250), (1.001, 1.004),
]  # fmt: skip


@pytest.fixture
def panel():
    """Makes a panel of that size with logarithmic axes and data between the limits."""

    def make(low, high, size: tuple[float, float] = (3.0, 2.0)):
        figure, panel = plt.subplots(figsize=size, layout="constrained")
        panel.loglog([low, high], [low, high])
        for axis in (panel.xaxis, panel.yaxis):
            log_ticks(axis)
        figure.canvas.draw()
        return panel

    yield make
    plt.close("all")


def shown(axis) -> list[tuple[float, str]]:
    """The labels in view, with their places."""
    low, high = sorted(axis.get_view_interval())
    places = zip(axis.get_majorticklocs(), axis.get_majorticklabels(), strict=True)
    return [(place, label.get_text()) for place, label in places if low <= place <= high]


def number(label: str) -> float:
    """What a label says."""
    found = re.fullmatch(r"\$(?:(?P<m>[\d.]+) \\times )?10\^\{(?P<e>-?\d+)\}\$", label)
    return float(f"{found['m'] or 1}e{found['e']}") if found else float(label)


@pytest.mark.parametrize(("low", "high"), RANGES)
@pytest.mark.parametrize("size", [(3.3, 2.2), (1.9, 1.5)])
def test_labels_do_not_touch(low, high, size, panel):
    for axis in (drawn := panel(low, high, size)).xaxis, drawn.yaxis:
        within = [label for label in axis.get_majorticklabels() if label.get_text()]
        boxes = [label.get_window_extent() for label in within]
        assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
        assert all(not label.get_text() for label in axis.get_minorticklabels())


@pytest.mark.parametrize(("low", "high"), RANGES)
def test_there_are_enough_labels_and_they_say_where_they_stand(low, high, panel):
    drawn = panel(low, high)
    assert 3 <= len(shown(drawn.yaxis)) <= 6
    assert 2 <= len(shown(drawn.xaxis)) <= 6
    for place, label in [*shown(drawn.xaxis), *shown(drawn.yaxis)]:
        assert number(label) == pytest.approx(place, rel=1e-6)


def test_values_that_differ_by_rounding_are_a_level_line(panel):
    low, high = panel(1, 1 + 1e-13).get_ylim()
    assert low < 0.95 and high > 1.05


@pytest.mark.filterwarnings("error")
def test_an_empty_panel_an_inverted_one_and_one_with_new_limits_are_drawn(panel):
    drawn = panel(1, 1e4)
    drawn.set_ylim(3e-3, 2e-3)
    drawn.figure.canvas.draw()
    assert len(shown(drawn.yaxis)) >= 3
    figure, empty = plt.subplots()
    empty.set_yscale("log")
    log_ticks(empty.yaxis)
    figure.canvas.draw()
    assert shown(empty.yaxis)


def test_a_linear_axis_stays_as_it_is():
    figure, panel = plt.subplots()
    before = panel.yaxis.get_major_locator()
    log_ticks(panel.yaxis)
    assert panel.yaxis.get_major_locator() is before
    plt.close(figure)


def test_the_usual_ticks_are_decades(panel):
    np.testing.assert_allclose([place for place, _ in shown(panel(1e-6, 1e-2).yaxis)], 10.0 ** np.arange(-6, -1))
