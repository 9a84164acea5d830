"""The picture: labelled panels, whatever was measured and however the run ended, and in whatever style."""

import dataclasses
from functools import cache

import jax.numpy as jnp
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from comparison_cases import PROBLEM, alone, bare, crossing, diverged, left_behind, usual
from matplotlib.figure import Figure

import comparisons
import discrete
import flows
from comparisons import Comparison
from comparisons.plot import COLOURS, flow_label, method_label, plot, save_figure

CASES = {"usual": usual, "diverged": diverged, "left behind": left_behind, "bare": bare, "alone": alone}


@pytest.fixture
def drawn():
    """Draws a comparison; the figure is closed afterwards."""
    yield plot
    plt.close("all")


def valley(params):
    """Its sharpness 1 + y is drawn towards 2.3, past 2/h for h = 1."""
    x, y = params["x"], params["y"]
    return (1 + y) * x**2 / 2 + 0.01 * (y - 1.3) ** 2


@cache
def at_the_edge(averaged: bool) -> Comparison:
    method = discrete.GradientDescent(1.0)
    swing = {"x": jnp.array(0.05), "y": jnp.array(0.0)}
    models = {"edge": flows.EdgeFlow(method, swing=swing), "gradient": flows.GradientFlow(method)}
    seen = discrete.TimeAveraged(method) if averaged else method
    start = {"x": jnp.array(0.05), "y": jnp.array(0.6)}
    return comparisons.compare(seen, models, valley, start, steps=130)


def cut(samples: int) -> Comparison:
    """The usual one as Ctrl-C would have left it."""
    found = usual()

    def kept(part):
        whole = {field.name: getattr(part, field.name) for field in dataclasses.fields(part)}
        changed = {key: rows[:samples] for key, rows in whole.items() if isinstance(rows, np.ndarray)}
        for name in {"observations", "gaps"} & whole.keys():
            changed[name] = {key: rows[:samples] for key, rows in whole[name].items()}
        return dataclasses.replace(part, **changed)

    sides = {name: kept(flow) for name, flow in found.flows.items()}
    apart = {name: kept(one) for name, one in found.divergence.items()}
    return dataclasses.replace(found, discrete=kept(found.discrete), flows=sides, divergence=apart)


def renamed(names: list[str]) -> Comparison:
    """The usual one with as many copies of a flow, under these names."""
    found = usual()
    return dataclasses.replace(
        found,
        flows=dict.fromkeys(names, found.flows["modified"]),
        divergence=dict.fromkeys(names, found.divergence["modified"]),
        orders=dict.fromkeys(names, 2),
    )


def scaled(factor: float) -> Comparison:
    """The usual one with everything that is drawn multiplied."""
    found = usual()

    def times(rows):
        return {key: factor * np.asarray(one, float) for key, one in rows.items()}

    apart = {
        name: dataclasses.replace(one, distance=factor * one.distance, function_distance=None)
        for name, one in found.divergence.items()
    }
    leader = dataclasses.replace(found.discrete, observations=times(found.discrete.observations))
    sides = {n: dataclasses.replace(one, observations=times(one.observations)) for n, one in found.flows.items()}
    return dataclasses.replace(found, discrete=leader, flows=sides, divergence=apart)


def legend(figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


@pytest.mark.parametrize("case", CASES)
def test_there_are_four_panels_with_labels_and_titles_and_two_without_flows(case, drawn):
    figure = drawn(CASES[case]())
    figure.canvas.draw()
    panels = 4 if CASES[case]().flows else 2
    assert [panel.get_xlabel() for panel in figure.axes] == ["step"] * panels
    assert all(panel.get_ylabel() for panel in figure.axes)
    assert [panel.get_title(loc="left")[:3] for panel in figure.axes] == ["(a)", "(b)", "(c)", "(d)"][:panels]


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


def test_an_order_in_the_square_root_of_h_is_shown_as_the_power_of_h_that_it_is(drawn):
    """Order 1 on the clock n sqrt(h) is no claim of O(h)."""
    method = discrete.nesterov_strongly_convex(0.04, 0.5)
    models = {"low-resolution": flows.LowResolution(method), "high-resolution": flows.HighResolution(method)}
    found = comparisons.compare(method, models, PROBLEM, steps=20)
    assert legend(drawn(found))[1:] == ["low resolution flow, $O(h^{0.5})$", "high resolution flow, $O(h)$"]


def test_a_method_is_labelled_with_its_numbers():
    assert method_label(usual()) == r"heavy ball, $h = 0.1$, $\beta = 0.5$"


def test_a_method_seen_time_averaged_is_labelled_with_its_numbers_too():
    assert method_label(at_the_edge(averaged=True)) == "gradient descent, $h = 1$, time averaged"


@pytest.mark.parametrize(
    ("method", "label"),
    [
        ({"name": "nesterov", "learning_rate": 0.1, "momentum": "(n - 1)/(n + 2)"}, r"$\beta$ = (n - 1)/(n + 2)"),
        ({"name": "gradient-descent", "learning_rate": "<lambda>"}, "$h$ by schedule"),
        ({"name": "gradient-descent", "learning_rate": 1}, "$h = 1$"),
    ],
)
def test_schedules_and_whole_numbers_are_not_left_out(method, label):
    assert label in method_label(dataclasses.replace(usual(), method=method))


def test_what_a_flow_predicts_of_the_iterates_is_drawn_and_said(drawn):
    found = at_the_edge(averaged=False)
    figure = drawn(found)
    loss = figure.axes[0]
    predicted = found.flows["edge"].predictions["loss"]
    np.testing.assert_array_equal(loss.lines[1].get_ydata(), predicted)
    # It is what the picture is for: the loss of the iterates, which that of the centre misses by a factor.
    iterates = found.discrete.observations["loss"]
    assert np.max(predicted) == pytest.approx(np.max(iterates), rel=0.2)
    assert np.max(found.flows["edge"].observations["loss"]) < 0.1 * np.max(iterates)
    assert "* predicted for the iterates" in loss.get_title(loc="left")
    assert legend(figure)[1:3] == ["edge flow, $O(h^{2})$ *", "gradient flow, $O(h)$"]


def test_beside_averaged_iterates_the_loss_of_the_centre_is_drawn_and_the_prediction_thin(drawn):
    found = at_the_edge(averaged=True)
    loss = drawn(found).axes[0]
    np.testing.assert_array_equal(loss.lines[1].get_ydata(), found.flows["edge"].observations["loss"])
    np.testing.assert_array_equal(loss.lines[3].get_ydata(), found.flows["edge"].predictions["loss"])
    assert loss.lines[3].get_linewidth() < loss.lines[1].get_linewidth()
    assert "thin: of the iterates, predicted" in loss.get_title(loc="left")
    assert "averaged" in loss.get_ylabel()


def test_panels_are_chosen_by_name(drawn):
    figure = drawn(usual(), panels=["loss_gap", "distance", "sharpness_gap"])
    titles = [panel.get_title(loc="left")[:12] for panel in figure.axes]
    assert titles == ["(a) gap in l", "(b) distance", "(c) gap in s"]
    assert legend(figure)[0].startswith("heavy ball")
    assert drawn(usual(), panels="loss").axes[0].get_title(loc="left") == "training loss"
    assert [text.get_text() for text in drawn(alone(), panels="distance").axes[0].texts] == ["no flows"]


def test_axes_of_the_user_are_drawn_into_and_nothing_else_is_touched():
    before, figures = dict(mpl.rcParams), plt.get_fignums()
    figure = Figure()
    mine, other = figure.subplots(1, 2)
    assert plot(usual(), panels=["distance", "loss"], axes=[mine, other]) is figure
    assert dict(mpl.rcParams) == before and plt.get_fignums() == figures
    assert not figure.legends and mine.get_legend() is None
    assert mine.get_legend_handles_labels()[1] == ["gradient flow, $O(h)$", "modified flow, $O(h^{2})$"]
    assert mine.title.get_fontsize() == 12 and mine.spines["top"].get_visible()


def test_misuse_of_panels_and_axes_names_what_there_is():
    with pytest.raises(ValueError, match="`panels` has 'nonsense'; there are: loss, sharpness, distance"):
        plot(usual(), panels=["nonsense"])
    with pytest.raises(ValueError, match="`panels` is empty"):
        plot(usual(), panels=[])
    with pytest.raises(ValueError, match="`axes` has 1 for 4 panels"):
        plot(usual(), axes=Figure().subplots())


def test_the_style_is_ours_except_for_what_the_user_has_set_and_gone_afterwards(drawn):
    before = dict(mpl.rcParams)
    assert drawn(usual()).axes[0].lines[1].get_linewidth() == 1.2
    assert dict(mpl.rcParams) == before
    with plt.rc_context({"lines.linewidth": 3.0, "figure.figsize": (5, 4), "axes.prop_cycle": plt.cycler(color="rb")}):
        figure = drawn(usual())
        flow = figure.axes[0].lines[1]
        assert (flow.get_linewidth(), flow.get_color(), tuple(figure.get_size_inches())) == (3.0, "r", (5, 4))
        assert flow.axes.xaxis.label.get_fontsize() == 8
        assert drawn(usual(), style=None).axes[0].xaxis.label.get_fontsize() == 10


def test_another_style_may_be_named(drawn):
    dark = drawn(usual(), style="dark_background")
    method, flow = dark.axes[0].lines[:2]
    assert mpl.colors.to_hex(method.get_color()) == "#ffffff" and flow.get_color() not in COLOURS
    assert dark.get_facecolor() == (0, 0, 0, 1)


AWKWARD = ["_hidden", "a$b", r"$\frac{$", "50% & #1", r"$\epsilon$ flow", "", "a\nb", "w" * 200, "long " * 40]


@pytest.mark.filterwarnings("error")
def test_many_flows_with_awkward_names_are_all_in_a_legend_that_fits(drawn):
    figure = drawn(renamed([*AWKWARD, *(f"model {i}" for i in range(5))]))
    figure.canvas.draw()
    box = figure.legends[0].get_window_extent()
    assert len(legend(figure)) == 1 + len(AWKWARD) + 5 and legend(figure)[1].startswith(r"$\_$hidden")
    assert box.x0 >= 0 and box.x1 <= figure.bbox.x1 and box.y0 >= 0
    assert min(panel.get_window_extent().height for panel in figure.axes) > 90
    lines = figure.axes[0].lines[1:]
    assert len({(line.get_color(), str(line._unscaled_dash_pattern)) for line in lines}) == 14


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("samples", [1, 2, 3])
def test_a_run_of_few_samples_is_drawn(samples, drawn):
    figure = drawn(cut(samples))
    figure.canvas.draw()
    loss, _, distance, _ = figure.axes
    assert (loss.lines[0].get_marker() == ".") == (samples == 1)
    shown = [text.get_text() for text in distance.texts]
    assert shown == (["nothing to show"] if samples == 1 else [])
    assert samples != 2 or distance.lines[0].get_marker() == "."
    assert all(float(tick).is_integer() for tick in loss.get_xticks())


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("factor", [0.0, -1.0, np.nan, 1e300, 1e-300])
def test_values_that_have_no_place_on_a_log_axis_are_drawn_without_a_word(factor, drawn):
    figure = drawn(scaled(factor))
    figure.canvas.draw()
    assert (figure.axes[2].get_yscale(), figure.axes[0].get_yscale()) == ("linear", "linear")
