"""Criteria against numpy and scipy, and micro-batches against the full batch."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from scipy.special import log_softmax

import landscapes
from landscapes.losses.data_loss import DataLoss, criterion_named, logistic

EXAMPLES = 11


def affine(params, inputs):
    return jnp.tanh(inputs @ params["weight"] + params["bias"])


def loss_of(micro_batch=None, criterion=landscapes.half_squared_error, ridge=0.0, dtype=float) -> DataLoss:
    random = np.random.default_rng(0)
    inputs, targets = random.standard_normal((EXAMPLES, 4)), np.eye(3)[random.integers(0, 3, EXAMPLES)]
    inputs, targets = jnp.asarray(inputs, dtype), jnp.asarray(targets, dtype)
    return DataLoss(affine, criterion, inputs, targets, ridge=ridge, micro_batch=micro_batch)


@pytest.fixture
def params():
    random = np.random.default_rng(1)
    return {"weight": jnp.asarray(random.standard_normal((4, 3))), "bias": jnp.asarray(random.standard_normal(3))}


# Criteria


def test_the_squared_error_is_half_the_sum_over_outputs_and_the_mean_over_examples(params):
    loss = loss_of()
    outputs, targets = np.asarray(loss.predict(params)), np.asarray(loss.targets)
    assert float(loss(params)) == pytest.approx(0.5 * ((outputs - targets) ** 2).sum() / EXAMPLES, rel=1e-14)


def test_the_cross_entropy_is_scipys_log_softmax_at_the_label(params):
    loss = loss_of(criterion=landscapes.cross_entropy)
    labels = np.argmax(loss.targets, axis=1)
    expected = -log_softmax(np.asarray(loss.predict(params)), axis=1)[np.arange(EXAMPLES), labels].mean()
    assert float(loss(params)) == pytest.approx(expected, rel=1e-14)


def test_the_cross_entropy_of_huge_outputs_is_finite():
    outputs, targets = jnp.asarray([[1e4, -1e4, 0.0]]), jnp.asarray([[0.0, 1.0, 0.0]])
    assert landscapes.cross_entropy(outputs, targets).tolist() == [2e4]


@pytest.mark.parametrize("output", [-3.0, 0.0, 2.5, 800.0, -800.0])
@pytest.mark.parametrize("target", [1.0, -1.0])
def test_the_logistic_loss_is_log_one_plus_exp_of_minus_the_margin(output, target):
    value = logistic(jnp.asarray([[output]]), jnp.asarray([[target]]))
    np.testing.assert_allclose(value, np.logaddexp(0, -output * target), rtol=1e-14)


def test_the_ridge_adds_half_its_constant_times_the_squared_norm(params):
    flat, _ = ravel_pytree(params)
    added = float(loss_of(ridge=0.3)(params) - loss_of()(params))
    assert added == pytest.approx(0.15 * float(flat @ flat), rel=1e-12)


@pytest.mark.parametrize(("name", "near"), [("cross_entropy", "cross-entropy"), ("MSE", "mse")])
def test_an_unknown_criterion_is_refused_with_the_nearest_one(name, near):
    with pytest.raises(ValueError, match=f"`criterion` '{name}' is unknown; did you mean .*{near}"):
        criterion_named(name)


# Accuracy


def test_the_accuracy_is_the_fraction_of_examples_whose_largest_output_is_at_the_label():
    outputs = jnp.asarray([[3.0, 1.0], [0.0, 1.0], [2.0, 1.0], [-1.0, -2.0]])
    targets = jnp.asarray([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    loss = DataLoss(lambda w, x: w * x, landscapes.half_squared_error, outputs, targets)
    assert float(loss.accuracy(jnp.asarray(1.0))) == 0.75
    assert float(loss.accuracy(jnp.asarray(-1.0))) == 0.25


def test_with_one_output_the_accuracy_is_the_fraction_of_right_signs():
    outputs, targets = jnp.asarray([[3.0], [-1.0], [2.0]]), jnp.asarray([[1.0], [-1.0], [-1.0]])
    loss = DataLoss(lambda w, x: w * x, logistic, outputs, targets)
    assert float(loss.accuracy(jnp.asarray(1.0))) == pytest.approx(2 / 3)


# Micro-batches

MICRO_BATCHES = pytest.mark.parametrize("micro_batch", [1, 4, 10, 12])


@MICRO_BATCHES
def test_micro_batches_give_the_value_of_the_full_batch(params, micro_batch):
    assert float(loss_of(micro_batch, ridge=0.1)(params)) == pytest.approx(float(loss_of(ridge=0.1)(params)), rel=1e-14)


@MICRO_BATCHES
def test_micro_batches_give_the_gradient_of_the_full_batch(params, micro_batch):
    found, expected = (ravel_pytree(jax.grad(loss)(params))[0] for loss in (loss_of(micro_batch), loss_of()))
    np.testing.assert_allclose(found, expected, atol=1e-15)


@pytest.mark.parametrize("micro_batch", [4, 11])
def test_micro_batches_give_the_hessian_product_of_the_full_batch(params, micro_batch):
    vector = jnp.asarray(np.random.default_rng(2).standard_normal(15))
    found, expected = (landscapes.hessian_operator(loss, params)(vector) for loss in (loss_of(micro_batch), loss_of()))
    np.testing.assert_allclose(found, expected, atol=1e-14)


def test_micro_batches_take_params_of_another_precision_than_the_data(params):
    value = loss_of(4, dtype=np.float32)(params)
    assert value.dtype == jnp.float64
    np.testing.assert_allclose(value, loss_of(dtype=np.float32)(params), rtol=1e-6)


def test_the_model_never_sees_more_examples_than_a_micro_batch_nor_none():
    seen = set()

    def watched(params, inputs):
        seen.add(inputs.shape[0])
        return inputs * params

    loss = DataLoss(watched, landscapes.half_squared_error, jnp.ones((12, 2)), jnp.ones((12, 2)), micro_batch=4)
    jax.grad(loss)(jnp.asarray(2.0))
    assert seen == {4}


# Misuse


@pytest.mark.parametrize("micro_batch", [0, -2])
def test_a_micro_batch_without_examples_is_refused(micro_batch):
    with pytest.raises(ValueError, match=f"`micro_batch` must be at least 1, got {micro_batch}; None takes all"):
        loss_of(micro_batch)


@pytest.mark.parametrize("shape", [(5,), (1, 1), (4, 1)])
def test_targets_that_would_be_broadcast_are_refused(shape):
    with pytest.raises(
        ValueError, match=r"`targets` must have shape \(examples, outputs\), as many examples as inputs"
    ):
        DataLoss(affine, landscapes.half_squared_error, jnp.ones((5, 4)), jnp.ones(shape))
