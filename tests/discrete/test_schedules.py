"""Hyper-parameters that change from step to step, and Nesterov's two classical choices of momentum."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import discrete
import landscapes

PROBLEM = landscapes.two_valleys()


def decaying(n):
    return 0.2 / (1 + n) ** 0.5


class Cosine(eqx.Module):
    """A schedule that is itself a pytree."""

    top: float
    length: float

    def __call__(self, n):
        return self.top * (1 + jnp.cos(jnp.pi * n / self.length)) / 2


@pytest.mark.parametrize("schedule", [decaying, Cosine(0.2, 50.0)], ids=["function", "module"])
def test_a_learning_rate_schedule_is_a_loop_over_its_values(schedule):
    gradient, x = jax.jit(jax.grad(PROBLEM.loss)), PROBLEM.params
    rates = [float(schedule(n)) for n in range(40)]
    for rate in rates:
        x = x - rate * gradient(x)
    run = discrete.run(discrete.GradientDescent(schedule), PROBLEM.loss, PROBLEM.params, steps=40, every=8)
    np.testing.assert_allclose(run.final_params, x, rtol=1e-13)
    np.testing.assert_allclose(run.times, np.concatenate([[0], np.cumsum(rates)])[::8], rtol=1e-14)


def test_a_momentum_schedule_is_a_loop_over_its_values():
    gradient, x, v = jax.jit(jax.grad(PROBLEM.loss)), PROBLEM.params, jnp.zeros(2)
    for n in range(40):
        v = (1 - 0.5 ** (n + 1)) * v - 0.05 * gradient(x)
        x = x + v
    method = discrete.HeavyBall(0.05, lambda n: 1 - 0.5 ** (n + 1.0))
    run = discrete.run(method, PROBLEM.loss, PROBLEM.params, steps=40)
    np.testing.assert_allclose(run.final_params, x, rtol=1e-13)
    np.testing.assert_allclose(run.times, 0.05 * np.arange(41), rtol=1e-15)


def test_at_replaces_every_schedule_and_leaves_numbers_alone():
    method = discrete.HeavyBall(decaying, 0.7)
    assert not method.is_constant and method.at(3).is_constant
    assert (method.at(3).learning_rate, method.at(3).momentum) == (0.1, 0.7)


# Nesterov's hard quadratic (2004, 2.1.7): L = sharpness/8 (x_1^2 + sum (x_i - x_{i+1})^2 + x_d^2 - 2 x_1).
DIMENSION = 200
CHAIN = 0.25 * (2 * np.eye(DIMENSION) - np.eye(DIMENSION, k=1) - np.eye(DIMENSION, k=-1))
LEAST = np.linalg.solve(CHAIN, 0.25 * np.eye(DIMENSION)[0])
HARD = landscapes.Quadratic(jnp.asarray(CHAIN), jnp.asarray(LEAST))


def test_nesterov_convex_is_the_recursion_of_su_boyd_and_candes():
    """Equation 1 of their paper: x_k = y_{k-1} - s grad f(y_{k-1}), y_k = x_k + (k - 1)/(k + 2) (x_k - x_{k-1})."""
    x = y = np.zeros(DIMENSION)
    for k in range(1, 101):
        x, last = y - CHAIN @ (y - LEAST), x
        y = x + (k - 1) / (k + 2) * (x - last)
    run = discrete.run(discrete.nesterov_convex(1.0), HARD, jnp.zeros(DIMENSION), steps=100)
    np.testing.assert_allclose(run.final_params, x, atol=1e-13)


def gap_to_bound(method):
    run = discrete.run(method, HARD, jnp.zeros(DIMENSION), steps=800, observe={"loss": HARD})
    return run.observations["loss"] * (run.steps + 1) ** 2 / (2 * LEAST @ LEAST)


def test_nesterov_convex_keeps_its_bound_on_the_hard_quadratic_where_gradient_descent_does_not():
    """L(x_n) - L* <= 2 |x_0 - x*|^2 / (h (n + 1)^2), here with h = 1 = 1/sharpness."""
    assert np.max(gap_to_bound(discrete.nesterov_convex(1.0))) <= 1
    assert np.max(gap_to_bound(discrete.GradientDescent(1.0))) > 1


def test_nesterov_strongly_convex_keeps_its_linear_rate():
    """L(x_n) - L* <= (1 - sqrt(m/S))^n (L(x_0) - L* + m/2 |x_0 - x*|^2)  (Nesterov 2004, theorem 2.2.3)."""
    m, sharpness = 1e-3, 1.0
    problem = landscapes.quadratic(eigenvalues=np.geomspace(m, sharpness, 12).tolist(), seed=1)
    method = discrete.nesterov_strongly_convex(1 / sharpness, m)
    run = discrete.run(method, problem.loss, problem.params, steps=600, observe={"loss": problem.loss})
    first = run.observations["loss"][0] + m / 2 * float(problem.params @ problem.params)
    assert np.all(run.observations["loss"] <= first * (1 - np.sqrt(m / sharpness)) ** run.steps * (1 + 1e-9))
    assert method.momentum == pytest.approx((1 - m**0.5) / (1 + m**0.5), rel=1e-15)


@pytest.mark.parametrize("strong_convexity", [0.0, -1.0, 11.0, float("nan")])
def test_strong_convexity_times_learning_rate_must_lie_in_zero_one(strong_convexity):
    with pytest.raises(ValueError, match=r"`strong_convexity` times `learning_rate` must lie in \(0, 1\]"):
        discrete.nesterov_strongly_convex(0.1, strong_convexity)


def test_nesterov_strongly_convex_takes_no_schedule():
    with pytest.raises(ValueError, match="`learning_rate` must be a number here"):
        discrete.nesterov_strongly_convex(decaying, 0.1)
