"""Linear networks against the closed forms that make them the field's exactly solvable models."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import landscapes
from landscapes.linear.linear_networks import DiagonalModel, unbalanced_diagonal_model


def teacher(problem) -> np.ndarray:
    """The matrix that the deep linear network is taught: it maps the inputs to the targets."""
    return np.linalg.solve(np.asarray(problem.loss.inputs), np.asarray(problem.loss.targets))


# Deep linear


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_the_loss_is_half_the_squared_distance_of_the_product_to_the_teacher(depth):
    problem = landscapes.deep_linear(depth=depth)
    weights = np.random.default_rng(0).standard_normal((depth, 5, 5))
    product = np.linalg.multi_dot([np.eye(5), *weights]) if depth > 1 else weights[0]
    expected = 0.5 * np.sum((product - teacher(problem)) ** 2)
    assert float(problem.loss(list(map(jnp.asarray, weights)))) == pytest.approx(expected, rel=1e-13)


def test_the_teacher_has_the_singular_values_asked_for_and_zeros():
    problem = landscapes.deep_linear(width=6, singular_values=(5.0, 0.5))
    np.testing.assert_allclose(np.linalg.svd(teacher(problem))[1], [5, 0.5, 0, 0, 0, 0], atol=1e-14)


def test_the_inputs_are_white():
    inputs = np.asarray(landscapes.deep_linear(width=4).loss.inputs)
    np.testing.assert_allclose(inputs.T @ inputs / len(inputs), np.eye(4), atol=1e-15)


def test_the_weights_start_as_the_scale_times_different_orthogonal_matrices():
    starts = landscapes.deep_linear(depth=3, scale=0.3).params
    for weight in starts:
        np.testing.assert_allclose(weight @ weight.T, 0.09 * np.eye(5), atol=1e-15)
    assert np.abs(starts[0] - starts[1]).max() > 0.01


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_minimum_of_zero_is_reached_where_the_product_is_the_teacher(depth):
    problem = landscapes.deep_linear(depth=depth)
    left, values, right = np.linalg.svd(teacher(problem))
    root = np.diag(values ** (1 / depth))
    weights = [root] * depth
    weights[0], weights[-1] = left @ weights[0], weights[-1] @ right
    if depth == 1:
        weights = [left @ root @ right]
    assert float(problem.loss(list(map(jnp.asarray, weights)))) == pytest.approx(problem.minimum, abs=1e-25)


def test_at_depth_one_the_hessian_is_the_identity():
    problem = landscapes.deep_linear(depth=1, width=3)
    matrix = jax.jit(lambda w: landscapes.dense_hessian(problem.loss, w))(problem.params)
    np.testing.assert_allclose(matrix, np.eye(9), atol=1e-14)


def test_the_sharpness_at_a_balanced_minimum_of_depth_two_is_twice_the_top_singular_value():
    problem = landscapes.deep_linear(depth=2, singular_values=(3.0, 2.0, 1.0))
    left, values, right = np.linalg.svd(teacher(problem))
    root = np.diag(np.sqrt(values))
    minimum = [jnp.asarray(left @ root), jnp.asarray(root @ right)]
    matrix = jax.jit(lambda w: landscapes.dense_hessian(problem.loss, w))(minimum)
    assert np.linalg.eigvalsh(matrix)[-1] == pytest.approx(6.0, rel=1e-12)


@pytest.mark.parametrize("settings", [{"depth": 0}, {"width": 2}, {"scale": 0.0}, {"scale": float("nan")}])
def test_a_deep_linear_network_that_cannot_be_is_refused(settings):
    with pytest.raises(ValueError, match="`depth` must be at least 1, `width` at least the number of singular values"):
        landscapes.deep_linear(**settings)


# Diagonal linear


@pytest.fixture(scope="module")
def sparse():
    return landscapes.diagonal_linear(dimension=8, examples=5, nonzeros=3, scale=0.2)


def test_the_loss_is_half_the_mean_squared_error_of_the_linear_model_u_squared_minus_v_squared(sparse):
    random = np.random.default_rng(0)
    u, v = random.standard_normal((2, 8))
    errors = np.asarray(sparse.loss.inputs) @ (u**2 - v**2) - np.asarray(sparse.loss.targets)[:, 0]
    assert float(sparse.loss({"u": jnp.asarray(u), "v": jnp.asarray(v)})) == pytest.approx(np.mean(errors**2) / 2)


def test_the_targets_come_noiseless_from_alternating_unit_weights(sparse):
    truth = np.array([1, -1, 1, 0, 0, 0, 0, 0.0])
    params = {"u": jnp.asarray(truth == 1, float), "v": jnp.asarray(truth == -1, float)}
    assert float(sparse.loss(params)) < 1e-30


def test_the_diagonal_network_starts_at_the_scale_where_its_model_is_zero(sparse):
    assert all(np.all(leaf == 0.2) for leaf in sparse.params.values())
    np.testing.assert_array_equal(sparse.predict(sparse.params), 0)


def test_the_gradient_is_the_linear_models_times_twice_the_weights(sparse):
    params = {"u": jnp.linspace(0.1, 0.8, 8), "v": jnp.linspace(-0.3, 0.3, 8)}
    inputs, targets = np.asarray(sparse.loss.inputs), np.asarray(sparse.loss.targets)[:, 0]
    linear = inputs.T @ (inputs @ np.asarray(params["u"] ** 2 - params["v"] ** 2) - targets) / 5
    gradient = jax.grad(sparse.loss)(params)
    np.testing.assert_allclose(gradient["u"], 2 * np.asarray(params["u"]) * linear, rtol=1e-12)
    np.testing.assert_allclose(gradient["v"], -2 * np.asarray(params["v"]) * linear, rtol=1e-12)


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_a_deeper_diagonal_network_is_linear_in_the_powers_of_its_weights(depth):
    problem = landscapes.diagonal_linear(dimension=8, examples=5, depth=depth)
    u, v = np.random.default_rng(0).standard_normal((2, 8))
    params = {"u": jnp.asarray(u), "v": jnp.asarray(v)}
    expected = np.asarray(problem.loss.inputs) @ (u**depth - v**depth)
    np.testing.assert_allclose(problem.predict(params)[:, 0], expected, rtol=1e-12)
    as_data = DiagonalModel(jnp.asarray(depth))
    np.testing.assert_allclose(as_data(params, problem.loss.inputs)[:, 0], expected, rtol=1e-12)


def test_a_diagonal_network_of_one_layer_is_refused():
    with pytest.raises(ValueError, match="`depth` of a diagonal network must be at least 2, got 1"):
        landscapes.diagonal_linear(depth=1)


def test_the_unbalanced_diagonal_network_is_linear_in_the_products_of_its_pairs():
    x, (a, b, c, d) = np.eye(4)[:3], np.random.default_rng(0).standard_normal((4, 4))
    params = {"u_plus": a, "v_plus": b, "u_minus": c, "v_minus": d}
    made = unbalanced_diagonal_model({name: jnp.asarray(leaf) for name, leaf in params.items()}, jnp.asarray(x))
    np.testing.assert_allclose(made[:, 0], (a * b - c * d)[:3], rtol=1e-14)


@pytest.mark.parametrize("settings", [{"nonzeros": 0}, {"nonzeros": 41}, {"examples": 0}, {"scale": -0.1}])
def test_a_diagonal_network_that_cannot_be_is_refused(settings):
    with pytest.raises(ValueError, match="`nonzeros` must lie between 1 and `dimension`, `examples` be at least 1"):
        landscapes.diagonal_linear(**settings)


# The lowest curvature that the layers allow


@pytest.mark.parametrize("depth", [2, 4])
def test_no_eigenvalue_of_a_deep_linear_network_is_below_what_the_layers_allow(depth):
    problem = landscapes.deep_linear(depth=depth, width=3, singular_values=(2.0, 1.0))
    hessian = jax.jit(lambda weights: landscapes.dense_hessian(problem.loss, weights))
    for seed in range(5):
        random = np.random.default_rng(seed)
        weights = [jnp.asarray(random.standard_normal((3, 3)) * random.uniform(0.05, 1)) for _ in range(depth)]
        lowest = np.linalg.eigvalsh(hessian(weights))[0]
        assert lowest >= float(landscapes.lowest_curvature(problem.loss, weights)) - 1e-12


def test_at_the_origin_of_a_network_of_two_layers_it_is_the_largest_singular_value():
    problem = landscapes.deep_linear(depth=2, width=3, singular_values=(2.0, 1.0))
    zeros = [jnp.zeros((3, 3))] * 2
    assert float(landscapes.lowest_curvature(problem.loss, zeros)) == pytest.approx(-2, rel=1e-12)
    lowest = jnp.linalg.eigvalsh(landscapes.dense_hessian(problem.loss, zeros))[0]
    assert float(lowest) == pytest.approx(-2, rel=1e-12)


def test_one_matrix_is_refused_a_lowest_curvature():
    with pytest.raises(ValueError, match="`params` must be at least 2 matrices, got 1"):
        landscapes.lowest_curvature(landscapes.deep_linear(depth=1).loss, [jnp.eye(5)])
