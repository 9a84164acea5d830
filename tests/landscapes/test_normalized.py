"""The normalized network: what it is, and the two invariances that it is there for."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import landscapes


@pytest.fixture(scope="module")
def problem():
    return landscapes.normalized_mlp(widths=(3,), examples=12)


@pytest.fixture(scope="module")
def gradient(problem):
    return jax.jit(lambda w: jax.grad(problem.loss)(w))


def test_it_is_the_mlp_with_hidden_weights_of_length_one(problem):
    first, last = ({name: np.asarray(a) for name, a in layer.items()} for layer in problem.params)
    unit = first["weight"] / np.linalg.norm(first["weight"], axis=0)
    inputs = np.asarray(problem.loss.inputs)
    expected = np.tanh(inputs @ unit + first["bias"]) @ last["weight"] + last["bias"]
    np.testing.assert_allclose(problem.predict(problem.params), expected, atol=1e-14)


def test_the_length_of_a_hidden_unit_does_not_matter_and_its_gradient_is_at_right_angles(problem, gradient):
    first, last = problem.params
    longer = [{**first, "weight": first["weight"] * jnp.array([2.0, 0.3, 1.0])}, last]
    assert float(problem.loss(longer)) == pytest.approx(float(problem.loss(problem.params)), rel=1e-14)
    found = gradient(problem.params)[0]["weight"]
    assert np.abs(found).max() > 1e-3
    np.testing.assert_allclose(jnp.sum(found * first["weight"], axis=0), 0, atol=1e-16)


def test_the_gradient_of_the_output_layer_sums_to_zero_over_the_classes(problem, gradient):
    found = gradient(problem.params)[-1]
    assert np.abs(found["weight"]).max() > 1e-3
    np.testing.assert_allclose(jnp.sum(found["weight"], axis=1), 0, atol=1e-16)
    np.testing.assert_allclose(jnp.sum(found["bias"]), 0, atol=1e-16)
