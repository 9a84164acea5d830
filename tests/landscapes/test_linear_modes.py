"""The exact solutions of deep linear networks against the gradient of the full matrices and against quadrature."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate

import landscapes


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_a_decoupled_start_has_every_mode_at_its_strength_and_moves_it_as_the_equation_says(depth):
    problem = landscapes.deep_linear(depth=depth, width=3, singular_values=(3.0, 2.0, 1.0))
    start, strengths = landscapes.decoupled_start(problem, 0.1), landscapes.mode_strengths(problem)
    np.testing.assert_allclose(strengths(start), 0.1, rtol=1e-12)
    gradient = jax.grad(problem.loss)(start)
    _, speed = jax.jvp(strengths, (start,), (jax.tree.map(lambda g: -g, gradient),))
    np.testing.assert_allclose(speed, depth * 0.1 ** (2 - 2 / depth) * (np.array([3, 2, 1]) - 0.1), rtol=1e-12)
    after = [weight - 0.1 * slope for weight, slope in zip(start, gradient, strict=True)]
    left, right = np.linalg.svd(np.linalg.solve(problem.loss.inputs, problem.loss.targets))[::2]
    product = left.T @ landscapes.product_model(after, jnp.eye(3)) @ right.T
    np.testing.assert_allclose(product, np.diag(np.diag(product)), atol=1e-15)


def test_the_modes_of_the_taught_matrix_are_its_singular_values():
    problem = landscapes.deep_linear(depth=1, width=3, singular_values=(1.0, 3.0, 2.0))
    taught = jnp.linalg.solve(problem.loss.inputs, problem.loss.targets)
    np.testing.assert_allclose(landscapes.mode_strengths(problem)([taught]), [3, 2, 1], rtol=1e-12)


@pytest.mark.parametrize("depth", [2, 3, 4, 7, 100])
def test_the_time_is_the_integral_of_one_over_the_speed(depth):
    expected, _ = scipy.integrate.quad(lambda u: 1 / (depth * u ** (2 - 2 / depth) * (2 - u)), 0.05, 1.9)
    assert landscapes.mode_time(1.9, depth, 2.0, 0.05) == pytest.approx(expected, rel=1e-8)


def test_the_sigmoid_is_the_inverse_of_the_time():
    times = np.linspace(0, 3, 7)
    np.testing.assert_allclose(
        landscapes.mode_time(landscapes.mode_sigmoid(times, 2.0, 0.01), 2, 2.0, 0.01), times, atol=1e-12
    )


def test_misuse_is_refused():
    with pytest.raises(ValueError, match="`depth` must be at least 2, got 1"):
        landscapes.mode_time(1.0, 1, 2.0, 0.1)
    with pytest.raises(ValueError, match="`first` must be positive, got 0"):
        landscapes.decoupled_start(landscapes.deep_linear(), 0.0)
