"""Criteria against numpy and scipy, and micro-batches against the full batch."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from scipy.special import log_softmax

import landscapes
from landscapes.losses.criteria import criterion_named, logistic
from landscapes.losses.data_loss import DataLoss

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


@pytest.mark.parametrize("shape", [(), (4,), (1, 1), (4, 1)])
def test_targets_of_another_number_of_examples_are_refused(shape):
    with pytest.raises(ValueError, match=r"`targets` must have shape \(examples, ...\), as many examples as inputs"):
        DataLoss(affine, landscapes.half_squared_error, jnp.ones((5, 4)), jnp.ones(shape))


def test_a_loss_over_no_examples_is_refused():
    with pytest.raises(ValueError, match="`targets` must have .* at least one, got"):
        DataLoss(affine, landscapes.half_squared_error, jnp.ones((0, 4)), jnp.ones((0, 3)))


@pytest.mark.parametrize("criterion", [landscapes.half_squared_error, logistic, landscapes.cross_entropy])
def test_targets_that_would_be_broadcast_are_refused_with_both_shapes(criterion):
    loss = DataLoss(lambda w, x: x * w, criterion, jnp.ones((5, 1)), jnp.ones(5))
    with pytest.raises(ValueError, match=r"`targets` must have the shape of the model's outputs, \(5, 1\).*got \(5,\)"):
        loss(jnp.asarray(1.0))


@pytest.mark.parametrize(
    ("criterion", "shape"), [(lambda f, y: jnp.mean((f - y) ** 2), r"\(\)"), (lambda f, y: f, r"\(11, 3")]
)
@pytest.mark.parametrize("micro_batch", [None, 4])
def test_a_criterion_that_does_not_give_one_number_per_example_is_refused(params, criterion, shape, micro_batch):
    found = shape if micro_batch is None else shape.replace("11", "[34]")
    with pytest.raises(ValueError, match=f"`criterion` must return one number per example, .*got {found}"):
        loss_of(micro_batch, criterion)(params)


@pytest.mark.parametrize(("label", "span"), [(3, "0 to 3"), (-100, "-100 to 2")])
def test_labels_that_the_model_has_no_output_for_are_refused(label, span):
    loss = DataLoss(lambda w, x: x * w, landscapes.cross_entropy, jnp.ones((4, 3)), jnp.asarray([0, 1, 2, label]))
    with pytest.raises(ValueError, match=f"`targets` must be labels from 0 to 2, .* 3 outputs, got labels from {span}"):
        landscapes.check_start(loss, jnp.asarray(1.0))


def test_where_such_labels_are_traced_the_loss_is_nan_and_no_number_of_another_class():
    traced = jax.jit(lambda labels: landscapes.cross_entropy(jnp.zeros((4, 3)), labels))
    assert np.isnan(traced(jnp.asarray([0, 3, -1, 2]))).tolist() == [False, True, True, False]


# Targets of every rank, written out in numpy


def images(random, shape):
    """Inputs of that shape a scalar weight scales, so that outputs are w x."""
    return jnp.asarray(random.standard_normal(shape))


@pytest.mark.parametrize("micro_batch", [None, 2])
@pytest.mark.parametrize("shape", [(7,), (7, 1), (7, 3), (7, 4, 3), (7, 4, 5, 2)], ids=str)
def test_squared_errors_and_logistic_losses_are_summed_over_all_that_an_example_has(shape, micro_batch):
    random = np.random.default_rng(3)
    inputs, targets = images(random, shape), jnp.asarray(np.sign(random.standard_normal(shape)))
    outputs, signs = 1.7 * np.asarray(inputs).reshape(7, -1), np.asarray(targets).reshape(7, -1)
    for criterion, expected in (
        (landscapes.half_squared_error, 0.5 * ((outputs - signs) ** 2).sum(axis=1)),
        (logistic, np.log1p(np.exp(-outputs * signs)).sum(axis=1)),
    ):
        loss = DataLoss(lambda w, x: w * x, criterion, inputs, targets, micro_batch=micro_batch)
        np.testing.assert_allclose(loss.per_example(jnp.asarray(1.7)), expected, rtol=1e-13)
        np.testing.assert_allclose(loss(jnp.asarray(1.7)), expected.mean(), rtol=1e-13)


@pytest.mark.parametrize("micro_batch", [None, 2])
@pytest.mark.parametrize("shape", [(7, 2), (7, 23), (7, 4, 3), (7, 4, 5, 6)], ids=str)
def test_integer_labels_one_hot_rows_and_scipy_agree_on_the_cross_entropy_and_numpy_on_the_accuracy(shape, micro_batch):
    random = np.random.default_rng(4)
    inputs, labels = images(random, shape), random.integers(0, shape[-1], shape[:-1])
    outputs = 1.7 * np.asarray(inputs)
    logarithms = np.take_along_axis(log_softmax(outputs, axis=-1), labels[..., None], axis=-1)
    expected = -logarithms.reshape(7, -1).sum(axis=1)
    right = np.mean(outputs.argmax(axis=-1) == labels)
    for targets in (jnp.asarray(labels), jnp.asarray(labels, np.uint8), jnp.asarray(np.eye(shape[-1])[labels])):
        loss = DataLoss(lambda w, x: w * x, landscapes.cross_entropy, inputs, targets, micro_batch=micro_batch)
        np.testing.assert_allclose(loss.per_example(jnp.asarray(1.7)), expected, rtol=1e-13)
        np.testing.assert_allclose(loss(jnp.asarray(1.7)), expected.mean(), rtol=1e-13)
        assert float(loss.accuracy(jnp.asarray(1.7))) == pytest.approx(right)


def test_with_one_output_of_rank_one_the_accuracy_is_the_fraction_of_right_signs_too():
    loss = DataLoss(lambda w, x: w * x, logistic, jnp.asarray([3.0, -1.0, 2.0]), jnp.asarray([1.0, -1.0, -1.0]))
    assert float(loss.accuracy(jnp.asarray(1.0))) == pytest.approx(2 / 3)


# Mini-batches and single examples

EVERY_SPLIT = pytest.mark.parametrize("micro_batch", [None, 1, 4, 10, 11])


@EVERY_SPLIT
@pytest.mark.parametrize("ridge", [0.0, 0.3])
def test_the_losses_of_the_examples_are_those_of_losses_over_one_example_each(params, micro_batch, ridge):
    loss = loss_of(micro_batch, landscapes.cross_entropy, ridge=ridge)
    apart = [
        DataLoss(affine, landscapes.cross_entropy, loss.inputs[i : i + 1], loss.targets[i : i + 1], ridge)(params)
        for i in range(EXAMPLES)
    ]
    np.testing.assert_allclose(loss.per_example(params), apart, rtol=1e-14)
    assert float(loss(params)) == pytest.approx(np.mean(apart), rel=1e-14)


@EVERY_SPLIT
def test_the_mean_of_the_gradients_of_the_examples_is_the_gradient_of_the_loss(params, micro_batch):
    loss = loss_of(micro_batch, ridge=0.3)
    rows = jax.jacrev(loss.per_example)(params)
    mean = ravel_pytree(jax.tree.map(lambda a: a.mean(axis=0), rows))[0]
    np.testing.assert_allclose(mean, ravel_pytree(jax.grad(loss_of(ridge=0.3))(params))[0], atol=1e-14)


@EVERY_SPLIT
def test_a_mini_batch_is_the_mean_over_its_examples_with_the_whole_ridge(params, micro_batch):
    loss, rows = loss_of(micro_batch, ridge=0.3), np.asarray(loss_of(ridge=0.3).per_example(params))
    for indices in ([3], [0, 5, 5, 10], [-1, 2], range(EXAMPLES)):
        found = loss.on(np.asarray(indices))
        assert found.examples == len(indices)
        assert float(found(params)) == pytest.approx(rows[list(indices)].mean(), rel=1e-13)


def test_batches_that_take_every_example_once_have_the_loss_as_their_mean(params):
    loss = loss_of(ridge=0.3).on(np.arange(9))
    order = np.random.default_rng(5).permutation(9)
    parts = [float(loss.on(batch)(params)) for batch in order.reshape(3, 3)]
    assert np.ptp(parts) > 1e-3
    assert np.mean(parts) == pytest.approx(float(loss(params)), rel=1e-14)


def test_indices_may_be_drawn_within_a_compiled_function(params):
    loss = loss_of(micro_batch=2)

    @jax.jit
    def drawn(key):
        indices = jax.random.choice(key, loss.examples, (5,), replace=False)
        return indices, loss.on(indices)(params), jax.grad(loss.on(indices))(params)

    indices, value, gradient = drawn(jax.random.key(0))
    again = loss_of().on(np.asarray(indices))
    assert float(value) == pytest.approx(float(again(params)), rel=1e-14)
    np.testing.assert_allclose(ravel_pytree(gradient)[0], ravel_pytree(jax.grad(again)(params))[0], atol=1e-15)


def test_known_indices_are_checked_within_a_compiled_function_too(params):
    loss, known = loss_of(), jnp.asarray([0, EXAMPLES])
    with pytest.raises(ValueError, match="`indices` must lie in"):
        jax.jit(lambda w: loss.on(known)(w))(params)


def test_examples_that_there_are_not_are_nan_where_they_are_traced(params):
    assert np.isnan(jax.jit(lambda indices: loss_of().on(indices)(params))(jnp.asarray([0, EXAMPLES])))


@pytest.mark.parametrize("indices", [[0, EXAMPLES], [-EXAMPLES - 1]])
def test_examples_that_there_are_not_are_refused_where_they_are_known(indices):
    with pytest.raises(ValueError, match=r"`indices` must lie in \[-11, 11\), the loss has 11 examples, got"):
        loss_of().on(np.asarray(indices))


@pytest.mark.parametrize("indices", [[], [0.0], 3, [[1, 2]], [True] * EXAMPLES])
def test_indices_that_are_no_row_of_integers_are_refused(indices):
    with pytest.raises(ValueError, match="`indices` must be one or more integers of shape .batch,., got .*flatnonzero"):
        loss_of().on(np.asarray(indices))


def test_a_loss_over_examples_can_be_sampled_and_a_plain_function_says_that_it_cannot():
    loss = loss_of()
    assert landscapes.over_examples(loss) is loss
    for plain, name in ((lambda w: w**2, "<lambda>"), (landscapes.quadratic().loss, "Quadratic")):
        with pytest.raises(ValueError, match=f"`loss` {name} cannot be sampled: .*pass a landscapes.DataLoss"):
            landscapes.over_examples(plain)
