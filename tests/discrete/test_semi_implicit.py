"""Symplectic Euler schemes of two momentum equations, against loops over the schemes as their papers write them."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import discrete
import landscapes

PROBLEM = landscapes.two_valleys()
GRADIENT = jax.jit(jax.grad(PROBLEM.loss))
START = np.asarray(PROBLEM.params)
H, M, STEPS = 0.05, 0.6, 100


def gradient(x):
    return np.asarray(GRADIENT(x))


def iterates(method):
    run = discrete.run(method, PROBLEM.loss, PROBLEM.params, steps=STEPS, keep_params=True)
    return np.asarray(run.params)


def test_muehlebach_jordan_with_unit_time_step_is_nesterov_s_method():
    expected = iterates(discrete.nesterov_strongly_convex(H, M))
    np.testing.assert_allclose(iterates(discrete.muehlebach_jordan(H, M)), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("time_step", [0.5, 1.0, 1.5])
def test_muehlebach_jordan_is_the_semi_implicit_step_of_their_equation(time_step):
    """p <- p - T (2 d p + (1/L) g(q + beta p));  q <- q + T p,  with L = T^2/h (Muehlebach and Jordan 2019, eq. 6)."""
    sharpness = time_step**2 / H
    root = math.sqrt(sharpness / M)
    damping, beta = 1 / (root + 1), (root - 1) / (root + 1)
    q, p, rows = START, np.zeros(2), [START]
    for _ in range(STEPS):
        p = p - time_step * (2 * damping * p + gradient(q + beta * p) / sharpness)
        q = q + time_step * p
        rows.append(q)
    method = discrete.muehlebach_jordan(H, M, time_step)
    assert method.learning_rate == H
    np.testing.assert_allclose(iterates(method), rows, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ((0.1, 10.1), "`strong_convexity` times `learning_rate` must lie in (0, 1], got 1.01"),
        ((0.1, 9.0, 0.9), "`strong_convexity` must lie in (0, L], L = time_step^2 / learning_rate = 8.1, got 9.0"),
        ((0.1, 0.0), "`strong_convexity` must lie in (0, L]"),
        ((0.1, 5.0, 3.0), "`time_step` must be at most 1.70711 here, got 3.0"),
        ((lambda n: 0.1, 5.0), "`learning_rate` must be a number here"),
        ((0.1, 5.0, 0.0), "`time_step` must be positive, got 0.0; 1 gives Nesterov's method"),
        ((0.1, 5.0, float("nan")), "`time_step` must be positive, got nan"),
        ((-0.1, 5.0), "`learning_rate` must be a positive finite number"),
    ],
    ids=[
        "m > L",
        "m > L in a short step",
        "no m",
        "a long step",
        "a schedule",
        "no step",
        "no number",
        "a negative rate",
    ],
)
def test_muehlebach_jordan_refuses_what_its_equation_cannot_be(settings, message):
    with pytest.raises(ValueError) as caught:
        discrete.muehlebach_jordan(*settings)
    assert message in str(caught.value)


def test_the_largest_time_step_is_where_the_momentum_ends():
    """2 d T = 1 with k = T^2/(h m) is T = 1/(2 - 1/sqrt(h m)); below h m = 1/4 there is no such T."""
    largest = 1 / (2 - 1 / math.sqrt(0.1 * 5.0))
    assert 0 < discrete.muehlebach_jordan(0.1, 5.0, largest * (1 - 1e-6)).momentum < 1e-5
    with pytest.raises(ValueError, match="`time_step` must be at most 1.70711"):
        discrete.muehlebach_jordan(0.1, 5.0, largest * (1 + 1e-6))
    assert discrete.muehlebach_jordan(0.1, 2.4, 1e6).momentum > 0


def scheme_s(first, strong_convexity):
    """x_1, x_2, ... of Shi, Du, Su and Jordan 2019 from v_0 = -sqrt(h) first grad L(x_0)."""
    s, q = math.sqrt(H), math.sqrt(strong_convexity * H)
    x, v, rows = START, -s * first * gradient(START), []
    for _ in range(STEPS):
        before, x = gradient(x), x + s * v
        after = gradient(x)
        v = (v - s * (after - before) - s * (1 + q) * after) / (1 + 2 * q)  # v_{n+1} stands on both sides
        rows.append(x)
    return np.array(rows)


@pytest.mark.parametrize("strong_convexity", [0.02, 0.6, 20.0])
def test_symplectic_euler_is_scheme_s_from_its_first_step(strong_convexity):
    q = math.sqrt(strong_convexity * H)
    expected = scheme_s((2 + q) / (1 + 2 * q), strong_convexity)
    run = iterates(discrete.SymplecticEuler(H, strong_convexity))
    np.testing.assert_allclose(run[1:], expected, rtol=0, atol=1e-12)


def test_symplectic_euler_goes_on_from_the_first_two_points_of_the_paper():
    """v_0 = -2 sqrt(h)/(1 + q) grad L(x_0) there."""
    expected = scheme_s(2 / (1 + math.sqrt(M * H)), M)
    method = discrete.SymplecticEuler(H, M)
    state = method.state_after(GRADIENT, PROBLEM.params, jnp.asarray(expected[0]))
    run = discrete.run(method, PROBLEM.loss, expected[0], steps=STEPS - 1, state=state, keep_params=True)
    np.testing.assert_allclose(np.asarray(run.params), expected, rtol=0, atol=1e-12)
