"""What `compare` refuses, each time with a ValueError that names the argument."""

import jax.numpy as jnp
import pytest
from comparison_cases import PROBLEM, START, compared, heavy_ball, models

import comparisons
import discrete
import flows
import landscapes
from comparisons.starting import starting_state
from comparisons.storage.dataset import APART


def refused(message: str, **changes) -> None:
    with pytest.raises(ValueError, match=message):
        compared(**changes)


@pytest.mark.parametrize(
    "other", [heavy_ball(0.2), discrete.HeavyBall(0.1, 0.4), discrete.GradientDescent(0.1), discrete.Nesterov(0.1, 0.5)]
)
def test_flows_of_another_method_are_refused(other):
    refused(r"`flows\['gradient flow'\]` models", flows=models(other))


@pytest.mark.parametrize("name", ["", "discrete", "a/b", "a:b"])
def test_flows_need_names_that_can_be_stored(name):
    refused("`flows` may not be named", flows={name: flows.GradientFlow(heavy_ball())})


@pytest.mark.parametrize("name", [*APART, "time", "samples", "step", "side", "flow", "gap_loss", "sharpness_index"])
def test_observables_may_not_take_the_names_of_what_a_comparison_measures(name):
    refused("`observe` may not use the name", observe={name: lambda p: p["b"]})


def test_observables_need_names_that_can_be_stored():
    refused("`observe` names", observe={"my loss": lambda p: p["b"]})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 0}, "`steps`"),
        ({"steps": -4}, "`steps`"),
        ({"steps": 10, "every": 3}, "`every` = 3 must divide"),
        ({"every": 0}, "`every`"),
        ({"steps": 4, "every": 5}, "`every`"),
    ],
)
def test_steps_are_positive_multiples_of_every(changes, message):
    refused(message, **changes)


@pytest.mark.parametrize("workers", [0, -1])
def test_at_least_one_side_moves_at_once(workers):
    refused("`workers` must be a whole number from 1", workers=workers)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda p: p["a"], "`loss.params.` must be a scalar"),
        (lambda p: jnp.log(-p["b"]), "`loss.params.` must be finite at the start, got nan"),
    ],
)
def test_a_loss_is_a_finite_number(loss, message):
    with pytest.raises(ValueError, match=message):
        comparisons.compare(heavy_ball(), {}, loss, START, steps=4)


def test_parameters_of_integer_dtype_are_refused():
    with pytest.raises(ValueError, match="`params` must hold real floating-point arrays, got dtype int64"):
        comparisons.compare(heavy_ball(), {}, lambda x: 1.0 * x**2, jnp.array(3), steps=4)


def test_a_loss_needs_a_point_to_start_from():
    with pytest.raises(ValueError, match="`params` is missing"):
        comparisons.compare(heavy_ball(), {}, PROBLEM.loss, steps=4)


@pytest.mark.parametrize("predict", [lambda p: p["b"], lambda p: p])
def test_predictions_are_one_array_over_examples(predict):
    refused("`predict.params.` must be one array whose first axis is examples", predict=predict)


def test_the_start_is_at_rest_or_on_the_slow_manifold():
    with pytest.raises(ValueError, match="`start` must be 'rest' or 'slow-manifold', got 'fast'"):
        starting_state("fast", heavy_ball(), models(heavy_ball()), PROBLEM.loss, START, None)
    refused("`start` 'slow-manifold' needs at least one of `flows`", start="slow-manifold", flows={})
    refused("`state` and `start='slow-manifold'` exclude each other", start="slow-manifold", state=START)


def test_a_method_without_slow_manifold_cannot_start_there():
    refused("`start` 'slow-manifold' does not exist here", start="slow-manifold", method=discrete.HeavyBall(4.0, 0.99))


def test_more_eigenvalues_than_parameters_are_refused():
    refused(
        "`k` must lie between 1 and the number of parameters 3", observe={"s": landscapes.Sharpness(PROBLEM.loss, 4)}
    )


@pytest.mark.parametrize(
    ("observe", "taken"),
    [
        ({"relative": lambda p: {"distance": p["b"]}}, "relative_distance"),
        ({"gap": lambda p: {"loss": p["b"], "value": p["b"]}}, "gap_loss"),
    ],
)
def test_what_a_function_measures_may_not_be_stored_under_a_name_of_the_comparison(observe, taken):
    refused(f"`observe` may not use the name '{taken}'", observe=observe)


def test_the_name_of_the_loss_is_that_of_the_run():
    refused(r"`observe\['loss'\]` is another loss", observe={"loss": lambda p: p["b"]})
    same = comparisons.compare(heavy_ball(), {}, PROBLEM, steps=2, observe={"loss": PROBLEM.loss})
    assert list(same.discrete.observations) == ["loss"]
