"""The same iterates as optax, in the same or in look-ahead coordinates; and optax's optimizers as methods."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import discrete
import landscapes

PROBLEM = landscapes.two_valleys()
H, B, STEPS = 0.05, 0.9, 200


def optax_iterates(optimizer, start=PROBLEM.params):
    """x_0, ..., x_STEPS by optax's own loop; with a callable second part of the state left to optax."""

    @jax.jit
    def one(params, state):
        updates, state = optimizer.update(jax.grad(PROBLEM.loss)(params), state, params)
        return optax.apply_updates(params, updates), state

    rows, state = [start], optimizer.init(start)
    for _ in range(STEPS):
        params, state = one(rows[-1], state)
        rows.append(params)
    return np.array(rows)


def iterates(method):
    return discrete.run(method, PROBLEM.loss, PROBLEM.params, steps=STEPS, keep_params=True, observe={"v": jnp.sum})


def test_gradient_descent_is_optax_sgd():
    run = iterates(discrete.GradientDescent(H))
    np.testing.assert_allclose(run.params, optax_iterates(optax.sgd(H)), rtol=0, atol=1e-14)


def test_heavy_ball_is_optax_sgd_with_momentum():
    run = iterates(discrete.HeavyBall(H, B))
    np.testing.assert_allclose(run.params, optax_iterates(optax.sgd(H, B)), rtol=0, atol=1e-12)


def test_optax_nesterov_reports_the_look_ahead_points_of_ours():
    x = np.asarray(iterates(discrete.Nesterov(H, B)).params)
    velocity = np.diff(x, axis=0, prepend=x[:1])
    ahead = optax_iterates(optax.sgd(H, B, nesterov=True))
    np.testing.assert_allclose(x + B * velocity, ahead, rtol=0, atol=1e-12)
    assert np.abs(x - ahead).max() > 0.1


def test_look_ahead_points_are_the_parameters_of_optax_nesterov():
    y = np.asarray(iterates(discrete.NesterovLookAhead(H, B)).params)
    np.testing.assert_allclose(y, optax_iterates(optax.sgd(H, B, nesterov=True)), rtol=0, atol=1e-12)


def test_adam_as_a_method_is_adam_by_hand():
    """Kingma and Ba 2015, algorithm 1, in numpy; optax adds eps outside the root, as they do."""
    h, b1, b2, eps = 0.03, 0.9, 0.999, 1e-8
    gradient = jax.jit(jax.grad(PROBLEM.loss))
    x, m, v, rows = np.array(PROBLEM.params), np.zeros(2), np.zeros(2), [np.array(PROBLEM.params)]
    for n in range(1, STEPS + 1):
        g = np.asarray(gradient(x))
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        x = x - h * (m / (1 - b1**n)) / (np.sqrt(v / (1 - b2**n)) + eps)
        rows.append(x)
    run = iterates(discrete.from_optax(optax.adam(h), learning_rate=h))
    np.testing.assert_allclose(run.params, rows, rtol=0, atol=1e-11)
    np.testing.assert_allclose(run.times, h * np.arange(STEPS + 1))


def test_without_a_learning_rate_an_optax_run_is_timed_in_steps():
    run = discrete.run(discrete.from_optax(optax.adam(H)), PROBLEM.loss, PROBLEM.params, steps=20, every=10)
    assert run.times.tolist() == [0.0, 10.0, 20.0]


def test_the_learning_rate_of_a_transformation_that_is_gradient_descent_is_its_clock():
    run = discrete.run(discrete.from_optax(optax.sgd(H)), PROBLEM.loss, PROBLEM.params, steps=20, every=10)
    assert run.times.tolist() == [0.0, 10 * H, 20 * H]


def test_optax_schedules_count_their_own_steps():
    run = iterates(discrete.from_optax(optax.sgd(optax.linear_schedule(H, 0.0, STEPS))))
    expected = discrete.run(
        discrete.GradientDescent(lambda n: H * (1 - n / STEPS)), PROBLEM.loss, PROBLEM.params, steps=STEPS
    )
    np.testing.assert_allclose(run.final_params, expected.final_params, atol=1e-13)


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan")])
def test_the_clock_of_an_optax_method_must_be_a_learning_rate(rate):
    with pytest.raises(ValueError, match="`learning_rate` must be a positive finite number"):
        discrete.from_optax(optax.sgd(0.1), rate)
