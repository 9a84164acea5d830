"""The run of a method without its oscillation of period two."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import comparisons
import discrete
import flows
import landscapes
from discrete.catalogue import description

TOY = landscapes.two_valleys()


METHODS = {
    "GD": discrete.GradientDescent(0.1),
    "HB": discrete.HeavyBall(0.05, 0.7),
    "a schedule": discrete.GradientDescent(lambda n: 0.2 / (n + 1)),
}


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_every_point_is_the_average_of_three_of_the_run(method):
    run, seen = (
        np.asarray(discrete.run(m, TOY.loss, TOY.params, steps=20, keep_params=True).params)
        for m in (method, discrete.TimeAveraged(method))
    )
    np.testing.assert_allclose(seen[1:20], (run[:-2] + 2 * run[1:-1] + run[2:]) / 4, rtol=1e-13)
    np.testing.assert_array_equal(seen[0], run[0])


def test_it_goes_on_from_a_state_of_its_method():
    method = discrete.HeavyBall(0.05, 0.7)
    warm = discrete.run(method, TOY.loss, TOY.params, steps=5)
    seen = discrete.TimeAveraged(method)
    begin = seen.from_state(warm.final_params, warm.final_state)
    run = discrete.run(seen, TOY.loss, warm.final_params, state=begin, steps=10, keep_params=True)
    whole = discrete.run(seen, TOY.loss, TOY.params, steps=15, keep_params=True)
    np.testing.assert_allclose(np.asarray(run.params)[1:], np.asarray(whole.params)[6:], rtol=1e-13)


def test_it_takes_the_gradients_of_its_method_and_one_more():
    asked = []

    def loss(x):
        jax.debug.callback(lambda: asked.append(1))
        return TOY.loss(x)

    def spent(method) -> tuple[int, int]:
        asked.clear()
        run = discrete.run(method, loss, TOY.params, steps=20)
        jax.effects_barrier()
        return run.cost.gradients, len(asked)

    method = discrete.GradientDescent(0.1)
    counted, evaluated = spent(method)
    assert spent(discrete.TimeAveraged(method)) == (counted, evaluated + 1)
    assert counted == 20


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
    assert seen.gradients_per_step == 1


def test_compare_takes_it_with_flows_of_its_method_and_with_no_others():
    method = discrete.GradientDescent(0.1)
    seen = discrete.TimeAveraged(method)
    comparison = comparisons.compare(seen, {"edge": flows.EdgeFlow(method)}, TOY, steps=10)
    assert comparison.status == "completed" and comparison.discrete.cost.gradients == 10
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
