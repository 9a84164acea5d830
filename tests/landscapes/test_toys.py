"""The toys against scipy's versions, formulas written out in numpy, and the spectra they were asked for."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.optimize import minimize, rosen, rosen_der

import landscapes
from landscapes.losses.toys import rosenbrock_loss, two_valleys_loss

SPECTRA = st.lists(st.floats(-10, 10), min_size=1, max_size=6)


# Quadratic


@given(eigenvalues=SPECTRA, rotate=st.booleans(), seed=st.integers(0, 5))
def test_the_hessian_of_a_quadratic_has_the_eigenvalues_asked_for(eigenvalues, rotate, seed):
    matrix = landscapes.quadratic(eigenvalues=eigenvalues, rotate=rotate, seed=seed).loss.matrix
    np.testing.assert_allclose(np.linalg.eigvalsh(matrix), np.sort(eigenvalues), atol=1e-12)


def test_the_matrix_of_a_quadratic_is_the_hessian_of_its_loss():
    problem = landscapes.quadratic(eigenvalues=[3.0, -1.0, 0.5])
    np.testing.assert_allclose(jax.hessian(problem.loss)(problem.params), problem.loss.matrix, atol=1e-14)


def test_the_value_of_a_quadratic_is_half_the_weighted_square_of_the_distance():
    loss = landscapes.Quadratic(jnp.asarray([[2.0, 1.0], [1.0, 4.0]]), jnp.asarray([1.0, -1.0]))
    assert float(loss(jnp.asarray([2.0, 1.0]))) == 0.5 * (2 * 1 + 2 * 1 * 1 * 2 + 4 * 4)


@given(eigenvalues=SPECTRA)
def test_the_gradient_of_a_quadratic_vanishes_at_its_minimizer(eigenvalues):
    loss = landscapes.quadratic(eigenvalues=eigenvalues).loss
    np.testing.assert_array_equal(jax.grad(loss)(loss.minimizer), 0)


@given(eigenvalues=SPECTRA)
def test_a_quadratic_starts_with_half_the_trace_at_the_distance_root_of_the_dimension(eigenvalues):
    problem = landscapes.quadratic(eigenvalues=eigenvalues)
    distance = np.linalg.norm(problem.params - problem.loss.minimizer)
    assert distance == pytest.approx(np.sqrt(len(eigenvalues)))
    # The start has the coordinate 1 along every eigenvector.
    assert float(problem.loss(problem.params)) == pytest.approx(0.5 * sum(eigenvalues), abs=1e-12)


def test_without_rotation_the_hessian_is_diagonal_in_the_given_order():
    matrix = landscapes.quadratic(eigenvalues=[1.0, 5.0, 2.0], rotate=False).loss.matrix
    np.testing.assert_array_equal(matrix, np.diag([1.0, 5.0, 2.0]))


def test_another_seed_turns_the_eigenvectors_elsewhere():
    first, second = (landscapes.quadratic(seed=seed).loss.matrix for seed in (0, 1))
    assert np.abs(first - second).max() > 0.01


def test_only_a_convex_quadratic_has_a_known_minimum():
    assert landscapes.quadratic(eigenvalues=[1.0, 0.0]).minimum == 0
    assert landscapes.quadratic(eigenvalues=[1.0, -0.1]).minimum is None


@pytest.mark.parametrize("eigenvalues", [[], [1.0, np.nan], [np.inf], [[1.0, 2.0]]])
def test_a_spectrum_that_is_no_list_of_finite_numbers_is_refused(as_installed, eigenvalues):
    with pytest.raises(ValueError, match="`eigenvalues` must be one or more finite numbers, got"):
        landscapes.quadratic(eigenvalues=eigenvalues)


# Rosenbrock


@pytest.mark.parametrize("x", [(-1.2, 1.0), (1.0, 1.0), (0.3, -2.0)])
def test_rosenbrocks_function_and_its_gradient_are_scipys(x):
    value, gradient = jax.value_and_grad(rosenbrock_loss)(jnp.asarray(x))
    assert float(value) == pytest.approx(rosen(x), rel=1e-14)
    np.testing.assert_allclose(gradient, rosen_der(x), rtol=1e-14)


def test_rosenbrocks_function_starts_where_it_is_customary_and_has_its_minimum_at_one():
    problem = landscapes.rosenbrock()
    assert problem.params.tolist() == [-1.2, 1.0]
    assert float(problem.loss(jnp.ones(2))) == problem.minimum == 0


# Two valleys


@pytest.mark.parametrize("x", [(-0.3, 1.0), (-1.0, 0.0), (1.0, 0.0), (2.0, -3.0)])
def test_the_two_valleys_are_the_formula(x):
    a, b = x
    curvature = 0.5 + 4 / (1 + np.exp(-3 * a))
    expected = (a**2 - 1) ** 2 / 4 + curvature * b**2 / 2 + np.sin(a + b) / 5
    assert float(two_valleys_loss(jnp.asarray(x))) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(("side", "curvature"), [(-1.0, 0.7), (1.0, 4.3)])
def test_across_each_valley_the_curvature_is_what_the_docstring_says(side, curvature):
    without_ripple = lambda x: two_valleys_loss(x) - 0.2 * jnp.sin(x[0] + x[1])  # noqa: E731
    across = jax.hessian(without_ripple)(jnp.asarray([side, 0.0]))[1, 1]
    assert float(across) == pytest.approx(curvature, abs=0.05)


def test_each_valley_has_a_minimum_and_that_of_the_right_one_is_sharper():
    loss = jax.jit(two_valleys_loss)
    ends = [minimize(loss, (side, 0.0), jac=jax.jit(jax.grad(two_valleys_loss))).x for side in (-1.0, 1.0)]
    spectra = [np.linalg.eigvalsh(jax.hessian(two_valleys_loss)(jnp.asarray(end))) for end in ends]
    assert ends[0][0] < -0.5 and ends[1][0] > 0.5
    assert spectra[0][0] > 0 and spectra[1][0] > 0
    assert spectra[1][1] > 1.5 * spectra[0][1]


def test_two_valleys_are_not_convex_where_they_start():
    problem = landscapes.two_valleys()
    assert np.linalg.eigvalsh(jax.hessian(problem.loss)(problem.params))[0] < 0
