"""The imbalance of linear networks: conserved, changed by a step as stated, and a bound on the rate of the loss."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import landscapes


def layers(*sizes, scale=0.5, seed=0):
    random = np.random.default_rng(seed)
    return [jnp.asarray(scale * random.standard_normal(pair)) for pair in pairwise(sizes)]


def loss_of(inputs, targets):
    return lambda weights: 0.5 * jnp.sum((targets - landscapes.product_model(weights, inputs)) ** 2)


@pytest.fixture(scope="module")
def regression():
    random = np.random.default_rng(1)
    # Rank 2, fewer than the three inputs and the four examples.
    inputs = random.standard_normal((4, 2)) @ random.standard_normal((2, 3))
    return jnp.asarray(inputs), jnp.asarray(inputs @ random.standard_normal((3, 2)))


def test_the_gradient_does_not_change_the_imbalance_to_first_order(regression):
    weights = layers(3, 5, 4, 2)
    gradient = jax.grad(loss_of(*regression))(weights)
    _, change = jax.jvp(landscapes.imbalance, (weights,), (gradient,))
    assert all(np.abs(rows).max() < 1e-13 for rows in change)
    assert max(np.abs(rows).max() for rows in gradient) > 0.1


def test_a_step_changes_it_by_the_squares_of_the_gradients(regression):
    weights, h = layers(3, 5, 4, 2), 0.1
    gradient = jax.grad(loss_of(*regression))(weights)
    stepped = [weight - h * slope for weight, slope in zip(weights, gradient, strict=True)]
    expected = [h**2 * change for change in landscapes.imbalance(gradient)]
    pairs = zip(landscapes.imbalance(stepped), landscapes.imbalance(weights), expected, strict=True)
    for after, before, change in pairs:
        np.testing.assert_allclose(after - before, change, atol=1e-14)


@pytest.mark.parametrize("seed", range(5))
def test_the_loss_falls_at_least_at_the_rate_wherever_the_weights_are(regression, seed):
    loss, weights = loss_of(*regression), layers(3, 8, 2, scale=1.0, seed=seed)
    gradient = jax.grad(loss)(weights)
    speed = sum(float(jnp.sum(slope**2)) for slope in gradient)
    assert speed >= float(landscapes.imbalance_rate(regression[0], weights)) * float(loss(weights)) > 0


def test_what_the_data_do_not_see_sets_no_rate(regression):
    inputs, _ = regression
    unseen = jnp.linalg.svd(inputs)[2][2:]
    weights = [10 * unseen.T @ jnp.ones((1, 8)), jnp.zeros((8, 2))]
    assert float(landscapes.imbalance_rate(inputs, weights)) < 1e-20


def test_orthogonal_layers_have_the_rate_of_their_squares():
    rows = jnp.eye(8)
    weights = [2 * rows[:3], 3 * rows[3:5].T]
    assert float(landscapes.imbalance_rate(jnp.diag(jnp.array([2.0, 1.0, 0.5])), weights)) == pytest.approx(0.5 * 13)


def test_a_network_that_is_too_narrow_has_no_rate(regression):
    assert float(landscapes.imbalance_rate(regression[0], layers(3, 1, 2))) == 0


def test_a_narrowed_network_has_the_same_product_after_steps_of_gradient_descent(regression):
    loss, wide = loss_of(*regression), layers(3, 40, 2, scale=0.2)
    narrow = landscapes.narrowed(wide)
    assert narrow[0].shape == (3, 5)
    for _ in range(20):
        wide, narrow = ([w - 0.05 * g for w, g in zip(net, jax.grad(loss)(net), strict=True)] for net in (wide, narrow))
    np.testing.assert_allclose(narrow[0] @ narrow[1], wide[0] @ wide[1], atol=1e-13)


def test_misuse_is_refused(regression):
    with pytest.raises(ValueError, match="must be two matrices, got 3"):
        landscapes.imbalance_rate(regression[0], layers(3, 5, 4, 2))
    with pytest.raises(ValueError, match=r"more hidden units than inputs and outputs, got shapes \[\(3, 4\)"):
        landscapes.narrowed(layers(3, 4, 2))
