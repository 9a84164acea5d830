"""The run of a method without its oscillation of period two."""

import jax.numpy as jnp
import numpy as np
import pytest

import comparisons
import discrete
import flows
import landscapes
from discrete.catalogue import description

TOY = landscapes.two_valleys()


@pytest.mark.parametrize("method", [discrete.GradientDescent(0.1), discrete.HeavyBall(0.05, 0.7)], ids=["GD", "HB"])
def test_every_point_is_the_average_of_three_of_the_run(method):
    run, seen = (
        np.asarray(discrete.run(m, TOY.loss, TOY.params, steps=20, keep_params=True).params)
        for m in (method, discrete.TimeAveraged(method))
    )
    np.testing.assert_allclose(seen[1:20], (run[:-2] + 2 * run[1:-1] + run[2:]) / 4, rtol=1e-13)
    np.testing.assert_array_equal(seen[0], run[0])


def test_an_oscillation_of_period_two_drops_out():
    bowl = landscapes.Quadratic(jnp.diag(jnp.array([20.0, 1.0])), jnp.zeros(2))
    run = discrete.run(
        discrete.TimeAveraged(discrete.GradientDescent(0.1)), bowl, jnp.ones(2), steps=10, keep_params=True
    )
    np.testing.assert_allclose(np.asarray(run.params)[1:, 0], 0, atol=1e-15)


def test_it_is_described_with_its_method_and_has_its_threshold():
    method = discrete.HeavyBall(0.1, 0.5)
    seen = discrete.TimeAveraged(method)
    assert description(seen) == {"name": "time-averaged", "method": description(method)}
    assert seen.stability_threshold() == method.stability_threshold() == 30.0
    assert seen.gradients_per_step == 2


def test_compare_takes_it_with_flows_of_its_method_and_with_no_others():
    method = discrete.GradientDescent(0.1)
    seen = discrete.TimeAveraged(method)
    comparison = comparisons.compare(seen, {"edge": flows.EdgeFlow(method)}, TOY, steps=10)
    assert comparison.status == "completed" and comparison.discrete.cost.gradients == 20
    with pytest.raises(ValueError, match="build it from the same method"):
        comparisons.compare(seen, {"edge": flows.EdgeFlow(discrete.GradientDescent(0.2))}, TOY, steps=10)


def test_predictions_are_saved_with_the_comparison_and_read_back(tmp_path):
    method = discrete.GradientDescent(0.1)
    models = {"edge": flows.EdgeFlow(method), "gradient": flows.GradientFlow(method)}
    comparison = comparisons.compare(discrete.TimeAveraged(method), models, TOY, steps=10)
    read = comparisons.load(comparison.save(tmp_path / "run.nc"))
    said, found = comparison.flows["edge"].predictions, read.flows["edge"].predictions
    assert found.keys() == said.keys() == {"loss", "squared_gradient_norm", "swing", "variance"}
    assert all(np.array_equal(found[name], said[name]) for name in said)
    assert read.flows["gradient"].predictions == {}
    data = comparison.to_dataset()["predicted_loss"]
    assert data.dims == ("flow", "step") and np.all(np.isnan(data.sel(flow="gradient")))
