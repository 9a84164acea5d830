"""A network in the span of its inputs: the same losses, runs, distances and spectra, with fewer weights."""

import jax
import numpy as np
import pytest

import discrete
import landscapes

RUN = {"steps": 30, "every": 5, "keep_params": True}


@pytest.fixture(scope="module")
def problems():
    whole = landscapes.digits_mlp(examples=7, widths=(5,))
    return whole, landscapes.in_input_span(whole)


def test_the_first_layer_has_one_row_for_each_example(problems):
    whole, smaller = problems
    assert whole.params[0]["weight"].shape == (64, 5) and smaller.params[0]["weight"].shape == (7, 5)
    assert smaller.loss.inputs.shape == (7, 7)


def test_runs_have_the_same_losses_distances_and_predictions(problems):
    losses, distances, outputs = [], [], []
    for problem in problems:
        run = discrete.run(
            discrete.HeavyBall(0.3, 0.8), problem.loss, problem.params, observe={"loss": problem.loss}, **RUN
        )
        steps = [np.asarray(row).reshape(len(run.steps), -1) for row in jax.tree.leaves(run.params)]
        losses.append(run.observations["loss"])
        distances.append(np.sqrt(sum(((row - row[0]) ** 2).sum(axis=1) for row in steps)))
        outputs.append(problem.predict(run.final_params))
    assert losses[0][-1] < 0.5 * losses[0][0]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-12)
    np.testing.assert_allclose(distances[0], distances[1], rtol=1e-11)
    np.testing.assert_allclose(outputs[0], outputs[1], atol=1e-12)


@pytest.mark.slow
def test_the_spectrum_is_the_same_but_for_zeros(problems):
    whole, smaller = (
        np.linalg.eigvalsh(landscapes.dense_hessian(problem.loss, problem.params)) for problem in problems
    )
    zeros = len(whole) - len(smaller)
    nonzero = np.delete(whole, np.argsort(np.abs(whole))[:zeros])
    np.testing.assert_allclose(nonzero, smaller, atol=1e-12)


def test_test_examples_meet_the_same_network_along_a_run_though_they_lie_outside_the_span():
    whole = landscapes.digits_mlp(examples=7, widths=(5,), test_examples=20, micro_batch=4)
    smaller = landscapes.in_input_span(whole)
    assert smaller.test_loss.inputs.shape == (20, 64)
    ends = [
        discrete.run(discrete.HeavyBall(0.3, 0.8), problem.loss, problem.params, steps=30).final_params
        for problem in (whole, smaller)
    ]
    found = smaller.test_loss.predict(ends[1])
    np.testing.assert_allclose(found, whole.test_loss.predict(ends[0]), atol=1e-12)
    assert np.abs(found - smaller.test_loss.predict(smaller.params)).max() > 0.1
    assert float(smaller.test_loss(ends[1])) == pytest.approx(float(whole.test_loss(ends[0])), rel=1e-12)
    assert float(smaller.test_accuracy(ends[1])) == float(whole.test_accuracy(ends[0]))


def test_data_with_fewer_inputs_than_examples_stay_as_they_are():
    problem = landscapes.chebyshev_mlp()
    assert landscapes.in_input_span(problem) is problem


@pytest.mark.parametrize("problem", [landscapes.two_valleys(), landscapes.logistic_digits(examples=9)])
def test_a_loss_without_a_network_is_refused(problem):
    with pytest.raises(ValueError, match=f"MLP .* got {problem.name}"):
        landscapes.in_input_span(problem)


def test_a_ridge_is_refused(problems):
    whole, _ = problems
    loss = landscapes.DataLoss(whole.loss.model, whole.loss.criterion, whole.loss.inputs, whole.loss.targets, ridge=0.1)
    with pytest.raises(ValueError, match="ridge .* got 0.1"):
        landscapes.in_input_span(landscapes.Problem("ridged", loss, whole.params))
