"""Hessian products against finite differences, against jax.hessian and against a loss whose Hessian is known."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from scipy.optimize import rosen_hess

import landscapes
from landscapes.curvature.hessian import DENSE_BATCH
from landscapes.losses.toys import rosenbrock_loss


@pytest.fixture(scope="module")
def by_jax(network):
    """The Hessian of the network's loss as jax.hessian forms it."""
    loss, params, _ = network
    flat, unravel = ravel_pytree(params)
    return np.asarray(jax.jit(jax.hessian(lambda w: loss(unravel(w))))(flat))


@pytest.fixture(scope="module")
def network():
    """A small tanh network's loss, a point, and a direction on flat vectors."""
    problem = landscapes.chebyshev_mlp(widths=(6, 7), points=9)
    flat, unravel = ravel_pytree(problem.params)
    flat = flat + 0.3 * np.random.default_rng(0).standard_normal(flat.size)
    return problem.loss, unravel(flat), np.random.default_rng(1).standard_normal(flat.size)


@eqx.filter_jit
def product_with(loss, params, vector):
    return landscapes.hessian_operator(loss, params)(jnp.asarray(vector))


def test_the_product_is_the_derivative_of_the_gradient_along_the_vector(network):
    loss, params, vector = network
    flat, unravel = ravel_pytree(params)
    gradient = jax.jit(lambda w: ravel_pytree(jax.grad(loss)(unravel(w)))[0])
    step = 1e-5
    difference = (gradient(flat + step * vector) - gradient(flat - step * vector)) / (2 * step)
    product = product_with(loss, params, vector)
    np.testing.assert_allclose(product, difference, atol=1e-8 * np.abs(difference).max())


def test_the_product_is_that_of_the_matrix_which_jax_forms(network, by_jax):
    loss, params, vector = network
    product = product_with(loss, params, vector)
    np.testing.assert_allclose(product, by_jax @ vector, atol=1e-12)


def test_the_gradient_and_the_product_come_shaped_like_the_params(network):
    loss, params, vector = network
    _, unravel = ravel_pytree(params)
    both = jax.jit(lambda w, v: landscapes.gradient_and_product(loss, w, v))
    gradient, product = both(params, unravel(jnp.asarray(vector)))
    expected = product_with(loss, params, vector)
    assert jax.tree.structure(gradient) == jax.tree.structure(product) == jax.tree.structure(params)
    np.testing.assert_allclose(ravel_pytree(product)[0], expected, atol=1e-13)
    np.testing.assert_allclose(
        ravel_pytree(gradient)[0], ravel_pytree(jax.jit(jax.grad(lambda w: loss(w)))(params))[0], atol=1e-13
    )


def test_the_operator_is_symmetric(network):
    loss, params, vector = network
    other = jnp.asarray(np.random.default_rng(2).standard_normal(vector.size))
    there, back = other @ product_with(loss, params, vector), vector @ product_with(loss, params, other)
    assert float(there) == pytest.approx(float(back), rel=1e-12)


def test_the_dense_hessian_is_the_one_that_jax_forms_and_exactly_symmetric(network, by_jax):
    loss, params, _ = network
    assert len(by_jax) > DENSE_BATCH  # so that it is formed in more than one batch
    matrix = np.asarray(jax.jit(lambda w: landscapes.dense_hessian(loss, w))(params))
    np.testing.assert_array_equal(matrix, matrix.T)
    np.testing.assert_allclose(matrix, by_jax, atol=1e-12)


@pytest.mark.parametrize("x", [(1.0, 1.0), (-1.2, 1.0), (0.3, -2.0)])
def test_the_dense_hessian_of_rosenbrocks_function_is_scipys(x):
    matrix = jax.jit(lambda w: landscapes.dense_hessian(rosenbrock_loss, w))(jnp.asarray(x))
    np.testing.assert_allclose(matrix, rosen_hess(x), rtol=1e-12)


def test_the_product_keeps_float32():
    product = landscapes.hessian_operator(rosenbrock_loss, jnp.ones(2, jnp.float32))
    assert product(jnp.ones(2, jnp.float32)).dtype == jnp.float32
