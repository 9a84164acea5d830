"""The leapfrog for the Bregman family, against a loop over position and momentum."""

import math

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import hyp0f1

import discrete
import landscapes

PROBLEM = landscapes.quadratic(eigenvalues=(1.0, 0.3, 0.05), seed=4)


def leapfrog(gradient, x, h, p, constant, steps):
    """P <- P - (C/2)(t_{n+1/2}^2p - t_{n-1/2}^2p) g(X);  X <- X + e p t_{n+1/2}^-(p+1) P, from P = 0 at t = 0."""
    e, momentum, rows = math.sqrt(h), np.zeros_like(x), [x]
    for n in range(steps):
        before, after = max(n - 0.5, 0) * e, (n + 0.5) * e
        momentum = momentum - constant / 2 * (after ** (2 * p) - before ** (2 * p)) * gradient(rows[-1])
        rows.append(rows[-1] + e * p * after ** -(p + 1) * momentum)
    return np.array(rows)


@pytest.mark.parametrize(("p", "constant"), [(2, 0.25), (2, 1.0), (3, 0.25), (4, 0.0625)])
def test_the_two_schedules_are_a_leapfrog_in_position_and_momentum(p, constant):
    h, steps, matrix = 0.02, 60, np.asarray(PROBLEM.loss.matrix)
    expected = leapfrog(lambda x: matrix @ x, np.asarray(PROBLEM.params), h, p, constant, steps)
    method = discrete.bregman_leapfrog(h, power=p, constant=constant)
    run = discrete.run(method, PROBLEM.loss, PROBLEM.params, steps=steps, keep_params=True)
    assert np.linalg.norm(expected[-1]) < 0.95 * np.linalg.norm(expected[0])
    np.testing.assert_allclose(np.asarray(run.params), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("p", [2, 3, 4])
def test_the_leapfrog_follows_its_equation_to_second_order_in_the_time_step(p):
    """On |X|^2/2 the equation X'' + (p+1)/t X' + C p^2 t^(p-2) X = 0 has the solution 0F1(2; -C t^p)."""
    steps, constant = np.array([40, 80, 160, 320]), 0.2
    ends = [
        discrete.run(discrete.bregman_leapfrog((2.0 / n) ** 2, p, constant), half_square, jnp.ones(1), steps=n)
        for n in steps.tolist()
    ]
    gaps = np.array([abs(float(run.final_params[0]) - hyp0f1(2, -constant * 2.0**p)) for run in ends])
    slope, _ = np.polyfit(np.log(2.0 / steps), np.log(gaps), 1)
    assert gaps.min() > 1e-9 and abs(slope - 2) < 0.05, gaps


def half_square(x):
    return 0.5 * x @ x


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"power": 1}, "`power` must be a whole number from 2, got 1"),
        ({"power": -3}, "`power` must be a whole number from 2, got -3"),
        ({"learning_rate": 0.0}, "`learning_rate` must be a positive number, got 0.0"),
        ({"learning_rate": float("nan")}, "`learning_rate` must be a positive number, got nan"),
        ({"constant": -1.0}, "`constant` must be a positive number, got -1.0"),
        ({"constant": float("inf")}, "`constant` must be a positive number, got inf"),
    ],
    ids=str,
)
def test_bad_settings_are_refused_by_name(settings, message):
    with pytest.raises(ValueError, match=message):
        discrete.bregman_leapfrog(**({"learning_rate": 0.1} | settings))
