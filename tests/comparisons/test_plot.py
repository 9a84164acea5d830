"""The picture: four labelled panels, whatever was measured and however the run ended."""

import dataclasses

import matplotlib.pyplot as plt
import numpy as np
import pytest
from comparison_cases import alone, bare, crossing, diverged, left_behind, usual

from comparisons.plot import flow_label, method_label, save_figure

CASES = {"usual": usual, "diverged": diverged, "left behind": left_behind, "bare": bare, "alone": alone}


@pytest.fixture
def drawn():
    """Draws a comparison; the figure is closed afterwards."""
    yield lambda comparison: comparison.plot()
    plt.close("all")


def legend(figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


@pytest.mark.parametrize("case", CASES)
def test_there_are_four_panels_with_labels_and_titles(case, drawn):
    figure = drawn(CASES[case]())
    figure.canvas.draw()
    assert [panel.get_xlabel() for panel in figure.axes] == ["step"] * 4
    assert all(panel.get_ylabel() for panel in figure.axes)
    assert [panel.get_title(loc="left")[:3] for panel in figure.axes] == ["(a)", "(b)", "(c)", "(d)"]


@pytest.mark.parametrize("case", CASES)
def test_the_legend_names_the_method_and_every_flow_with_its_order(case, drawn):
    comparison = CASES[case]()
    entries = legend(drawn(comparison))
    assert entries[0] == r"heavy ball, $h = " + f"{comparison.method['learning_rate']:g}" + r"$, $\beta = 0.5$"
    orders = {"gradient flow": "gradient flow, $O(h)$", "modified": "modified flow, $O(h^{2})$"}
    assert {orders[name] for name in comparison.flows if name in orders} <= set(entries)


def test_curves_are_what_was_measured(drawn):
    loss, sharpness, distance, function = drawn(usual()).axes
    np.testing.assert_array_equal(loss.lines[0].get_ydata(), usual().discrete.observations["loss"])
    np.testing.assert_array_equal(sharpness.lines[0].get_ydata(), usual().discrete.observations["sharpness"][:, 0])
    np.testing.assert_array_equal(distance.lines[1].get_ydata(), usual().divergence["modified"].distance[1:])
    function_distance = usual().divergence["modified"].function_distance
    assert function_distance is not None
    np.testing.assert_array_equal(function.lines[1].get_ydata(), function_distance[1:])


def test_distances_are_drawn_on_a_log_scale_without_their_zero(drawn):
    distance = drawn(usual()).axes[2]
    assert distance.get_yscale() == "log"
    assert all(np.nanmin(line.get_ydata()) > 0 for line in distance.lines)


def test_what_was_not_observed_is_said_and_replaced_by_the_gap_in_loss(drawn):
    _, sharpness, _, gap = drawn(bare()).axes
    assert [text.get_text() for text in sharpness.texts] == ["not observed"]
    assert "loss" in gap.get_title(loc="left")


def test_without_predictions_the_fourth_panel_is_the_gap_in_sharpness(drawn):
    unpredicted = {
        name: dataclasses.replace(apart, function_distance=None) for name, apart in usual().divergence.items()
    }
    gap = drawn(dataclasses.replace(usual(), divergence=unpredicted)).axes[3]
    assert "sharpness" in gap.get_title(loc="left")
    np.testing.assert_array_equal(gap.lines[0].get_ydata(), usual().divergence["gradient flow"].gaps["sharpness"][:, 0])


def test_the_crossing_of_the_threshold_is_marked_in_every_panel(drawn):
    first = crossing().summary()["stability"]["first_step_above"]
    assert first > 0
    figure = drawn(crossing())
    for panel in figure.axes:
        assert any(list(line.get_xdata()) == [first] * 2 for line in panel.lines)
    assert {"stability threshold", "first step above it"} <= set(legend(figure))


def test_a_flow_that_stopped_is_drawn_as_far_as_it_went(drawn):
    samples = len(left_behind().flows["hasty"].steps)
    assert samples in {len(line.get_xdata()) for line in drawn(left_behind()).axes[0].lines}


def test_flows_differ_in_colour_and_in_dashes(drawn):
    lines = drawn(left_behind()).axes[2].lines
    assert len({line.get_color() for line in lines}) == 3
    assert len({str(line._unscaled_dash_pattern) for line in lines}) == 3


def test_figures_are_saved_for_screens_and_for_print_and_closed(tmp_path):
    figure = usual().plot()
    png, svg = save_figure(figure, tmp_path / "figure")
    assert png.read_bytes().startswith(b"\x89PNG")
    assert svg.read_text().lstrip().startswith("<?xml")
    assert not plt.fignum_exists(figure.number)


@pytest.mark.parametrize(
    ("name", "order", "label"),
    [
        ("gradient", 1, "gradient flow, $O(h)$"),
        ("modified-4", 4, "modified flow, $O(h^{4})$"),
        ("high-resolution", None, "high resolution flow"),
        ("my flow", 2, "my flow, $O(h^{2})$"),
    ],
)
def test_a_flow_is_labelled_with_the_order_it_claims(name, order, label):
    assert flow_label(name, order) == label


def test_a_method_is_labelled_with_its_numbers():
    assert method_label(usual()) == r"heavy ball, $h = 0.1$, $\beta = 0.5$"
