"""The minimizer of a strictly convex loss, and what is none."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import landscapes


def test_the_gradient_vanishes_at_the_minimizer_of_logistic_regression():
    problem = landscapes.logistic_digits(examples=100)
    found = landscapes.minimizer(problem.loss, problem.params)
    sizes = [float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(jax.grad(problem.loss)(found))]
    assert max(sizes) < 1e-12
    assert float(problem.loss(found)) < float(problem.loss(problem.params))


def test_a_start_at_the_minimizer_stays_there():
    bowl = landscapes.quadratic(eigenvalues=(1.0, 3.0))
    found = landscapes.minimizer(bowl.loss, jnp.zeros(2))
    np.testing.assert_array_equal(found, np.zeros(2))


def test_single_precision_has_a_tolerance_of_its_own():
    found = landscapes.minimizer(lambda x: jnp.sum(jnp.cosh(x - 1)), jnp.zeros(3, jnp.float32))
    np.testing.assert_allclose(found, np.ones(3), atol=1e-3)


@pytest.mark.parametrize(
    ("loss", "start", "message"),
    [
        (lambda x: jnp.sum((x**2 - 1) ** 2), [0.0], "no strict minimum"),
        (lambda x: x[0] ** 2 - x[1] ** 2 + x[1] ** 4, [1.0, 0.05], "no strict minimum"),
        (lambda x: jnp.sum(jnp.exp(-x)), [0.0], "no minimizer within 100 Newton steps"),
    ],
    ids=["a maximum", "a saddle", "no stationary point"],
)
def test_what_is_no_minimizer_is_refused(loss, start, message):
    with pytest.raises(ValueError, match=message):
        landscapes.minimizer(loss, jnp.array(start))
