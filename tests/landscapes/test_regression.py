"""Logistic regression against scikit-learn, and the Chebyshev targets against their defining property."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

import landscapes

# Logistic regression


@pytest.fixture(scope="module")
def data():
    images, labels = load_digits(return_X_y=True)
    return images[:120] / 16 - 0.3, np.where(labels[:120] % 2 == 0, 1.0, -1.0)


def random_params(seed: int):
    random = np.random.default_rng(seed)
    return {"weight": jnp.asarray(random.standard_normal(64)), "bias": jnp.asarray(random.standard_normal())}


def test_the_logistic_loss_is_the_formula(data):
    inputs, signs = data
    params = random_params(0)
    margins = signs * (inputs @ np.asarray(params["weight"]) + float(params["bias"]))
    norm = float(params["bias"]) ** 2 + np.sum(np.asarray(params["weight"]) ** 2)
    expected = np.mean(np.logaddexp(0, -margins)) + 0.02 * norm
    assert float(landscapes.logistic_digits(examples=120, ridge=0.04).loss(params)) == pytest.approx(
        expected, rel=1e-13
    )


def test_logistic_regression_starts_at_zero_with_the_loss_log_two():
    problem = landscapes.logistic_digits(examples=120)
    assert float(problem.loss(problem.params)) == pytest.approx(np.log(2), rel=1e-15)
    assert all(np.all(leaf == 0) for leaf in jax.tree.leaves(problem.params))


def test_the_gradient_vanishes_at_the_minimizer_that_scikit_learn_finds(data):
    inputs, signs = data
    ridge = 0.05
    # scikit-learn does not penalize an intercept; a column of ones is penalized like any other.
    with_ones = np.column_stack([inputs, np.ones(len(inputs))])
    model = LogisticRegression(C=1 / (ridge * len(inputs)), fit_intercept=False, solver="newton-cg", tol=1e-10)
    found = model.fit(with_ones, signs).coef_[0]
    params = {"weight": jnp.asarray(found[:-1]), "bias": jnp.asarray(found[-1])}
    gradient = jax.grad(landscapes.logistic_digits(examples=120, ridge=ridge).loss)(params)
    assert max(np.abs(leaf).max() for leaf in jax.tree.leaves(gradient)) < 1e-7


@pytest.mark.parametrize("seed", [0, 1])
def test_logistic_regression_is_strongly_convex_with_the_ridge_as_its_constant(seed):
    # Far out the likelihood is flat in some direction, so the bound is nearly attained.
    far = jax.tree.map(lambda leaf: 10 * leaf, random_params(seed))
    loss = landscapes.logistic_digits(examples=120, ridge=0.3).loss
    bottom = np.linalg.eigvalsh(jax.jit(lambda w: landscapes.dense_hessian(loss, w))(far))
    assert 0.3 - 1e-12 <= bottom[0] < 0.31


def test_the_accuracy_counts_the_examples_on_the_right_side(data):
    inputs, signs = data
    problem, params = landscapes.logistic_digits(examples=120), random_params(3)
    expected = np.mean(np.sign(inputs @ np.asarray(params["weight"]) + float(params["bias"])) == signs)
    assert float(problem.accuracy(params)) == pytest.approx(expected)


@pytest.mark.parametrize("ridge", [-0.1, float("nan")])
def test_a_negative_ridge_is_refused(ridge):
    with pytest.raises(ValueError, match="`ridge` must be at least 0, got"):
        landscapes.logistic_digits(ridge=ridge)


# Chebyshev


@pytest.mark.parametrize("degree", [1, 2, 3, 4, 5, 7])
def test_the_targets_are_cosines_of_multiples_of_the_angle(degree):
    loss = landscapes.chebyshev_mlp(degree=degree, points=13, widths=(3,)).loss
    angles = np.arccos(np.asarray(loss.inputs))
    np.testing.assert_allclose(loss.targets, np.cos(degree * angles), atol=1e-13)


def test_the_default_target_is_t_four_at_twenty_equally_spaced_points():
    loss = landscapes.chebyshev_mlp(widths=(3,)).loss
    x = np.linspace(-1, 1, 20)[:, None]
    np.testing.assert_allclose(loss.inputs, x, atol=1e-15)
    np.testing.assert_allclose(loss.targets, 8 * x**4 - 8 * x**2 + 1, atol=1e-14)


def test_the_chebyshev_loss_is_the_mean_of_half_the_squared_error():
    problem = landscapes.chebyshev_mlp(widths=(5,))
    errors = np.asarray(problem.predict(problem.params) - problem.loss.targets)
    assert float(problem.loss(problem.params)) == pytest.approx(np.mean(errors**2) / 2, rel=1e-14)


def test_only_the_first_layer_starts_at_gain_one_point_nine():
    problem = landscapes.chebyshev_mlp(widths=(5, 4))
    plain = problem.loss.model.init(0)
    ratios = [a["weight"] / b["weight"] for a, b in zip(problem.params, plain, strict=True)]
    for ratio, gain in zip(ratios, (1.9, 1.0, 1.0), strict=True):
        np.testing.assert_allclose(ratio, gain, rtol=1e-14)


@pytest.mark.parametrize("settings", [{"degree": 0}, {"points": 1}])
def test_a_degree_or_a_number_of_points_that_is_too_small_is_refused(settings):
    with pytest.raises(ValueError, match="`degree` must be at least 1 and `points` at least 2, got"):
        landscapes.chebyshev_mlp(**settings)
