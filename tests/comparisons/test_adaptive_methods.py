"""Methods with a preconditioner in a comparison: their threshold is on the effective sharpness."""

from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import pytest
from comparison_cases import PROBLEM, STEPS, bowl, heavy_ball

import comparisons
import discrete
import flows
import landscapes
from comparisons import Comparison
from comparisons.console.table import described, table
from discrete.catalogue import description

METHOD = discrete.ScalarRMSProp(0.1, 0.5, bias_correction=True)
BOTH = {"sharpness": landscapes.Sharpness(bowl), "effective_sharpness": landscapes.EffectiveSharpness(bowl)}


def compared(method: discrete.Method, models: dict[str, flows.Flow], **observe) -> Comparison:
    return comparisons.compare(method, models, PROBLEM, steps=STEPS, observe=observe)


@cache
def adaptive() -> Comparison:
    return compared(METHOD, {"edge": flows.EdgeFlow(METHOD, order=1)}, **BOTH)


def test_the_threshold_is_met_by_the_effective_sharpness():
    found = adaptive()
    effective = found.discrete.observations["effective_sharpness"][:, 0]
    assert found.threshold == 20.0 and effective[0] < 20 < effective.max()
    stability = found.summary()["stability"]
    assert stability["of"] == "effective_sharpness" == found.limited
    assert stability["fraction_above"] == pytest.approx(np.mean(effective > 20))
    assert stability["first_step_above"] == int(np.argmax(effective > 20))
    np.testing.assert_array_equal(found.limited_sharpness(), effective)
    assert set(found.summary()["flows"]["edge"]["effective_sharpness"]) == {"initial", "final", "max"}


def test_the_directions_of_the_divergence_are_those_of_the_sharpness():
    found = adaptive().divergence["edge"]
    np.testing.assert_allclose(found.along[:, 0] ** 2 + found.across**2, found.distance**2, rtol=1e-9, atol=1e-16)


def test_observed_without_it_the_method_has_no_threshold_and_others_have_that_of_the_sharpness():
    plain = compared(METHOD, {}, sharpness=BOTH["sharpness"])
    assert plain.threshold is None and plain.summary()["stability"]["of"] == "sharpness"
    ball = compared(heavy_ball(), {}, **BOTH)
    assert ball.threshold == pytest.approx(30) and ball.limited == "effective_sharpness"
    np.testing.assert_allclose(ball.limited_sharpness(), ball.sharpness(), rtol=1e-12)


def test_it_is_read_back_as_it_was_written(tmp_path):
    read = comparisons.load(adaptive().save(tmp_path / "run.nc"))
    assert read.summary() == adaptive().summary()
    assert adaptive().to_dataset()["effective_sharpness"].attrs["units"] == "1 / learning rate"


def test_the_table_and_the_picture_show_it():
    rows = [str(cell) for cell in table(adaptive()).columns[0].cells]
    assert {"sharpness, final", "effective sharpness, final", "effective sharpness, max"} <= set(rows)
    assert str(table(adaptive()).caption).startswith("stability threshold of the effective sharpness 20:")
    figure = adaptive().plot()
    panel = figure.axes[1]
    assert "effective sharpness" in panel.get_title(loc="left") and r"P^{-1/2}" in panel.get_ylabel()
    np.testing.assert_array_equal(panel.lines[0].get_ydata(), adaptive().limited_sharpness())
    plt.close(figure)


def test_a_flow_of_another_decay_is_refused():
    other = discrete.ScalarRMSProp(0.1, 0.6, bias_correction=True)
    with pytest.raises(ValueError, match="build it from the same method"):
        comparisons.compare(METHOD, {"edge": flows.EdgeFlow(other)}, PROBLEM, steps=10)


def test_a_method_inside_another_is_told_in_words():
    method = discrete.TimeAveraged(discrete.GradientDescent(0.05))
    assert described(description(method)) == "time-averaged (method gradient-descent (learning rate 0.05))"
