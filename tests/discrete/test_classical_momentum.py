"""The momenta of convex and of strongly convex losses: the recursions of the papers, their bound, what they refuse."""

import math

import jax
import numpy as np
import pytest

import discrete
import landscapes

PROBLEM = landscapes.two_valleys()
H, STEPS = 0.03, 150
EXPONENTS = pytest.mark.parametrize("r", [3.0, 4.0, 1.0])

# Every coordinate is a problem of its own, one unit from its minimizer.
CURVATURES = np.geomspace(1e-5, 1, 60)
MODES = landscapes.quadratic(eigenvalues=CURVATURES.tolist(), rotate=False)


def su_boyd_candes(r):
    """Their equation 1 in numpy: rows x_0, x_1, ... and y_0, y_1, ..."""
    gradient = jax.jit(jax.grad(PROBLEM.loss))
    xs, ys = [np.asarray(PROBLEM.params)], [np.asarray(PROBLEM.params)]
    for k in range(1, STEPS + 1):
        xs.append(ys[-1] - H * np.asarray(gradient(ys[-1])))
        ys.append(xs[-1] + (k - 1) / (k + r - 1) * (xs[-1] - xs[-2]))
    return np.array(xs), np.array(ys)


def iterates(method):
    run = discrete.run(method, PROBLEM.loss, PROBLEM.params, steps=STEPS, keep_params=True)
    return np.asarray(run.params)


@EXPONENTS
def test_the_convex_methods_are_the_two_sequences_of_su_boyd_and_candes(r):
    xs, ys = su_boyd_candes(r)
    assert np.abs(xs - ys).max() > 0.01
    np.testing.assert_allclose(iterates(discrete.nesterov_convex(H, r)), xs, rtol=0, atol=1e-12)
    np.testing.assert_allclose(iterates(discrete.nesterov_convex_look_ahead(H, r)), ys, rtol=0, atol=1e-12)


@EXPONENTS
def test_look_ahead_points_are_the_run_moved_on_by_its_next_momentum(r):
    method = discrete.nesterov_convex(H, r)
    x = iterates(method)
    momentum = np.array([float(method.momentum(n)) for n in range(STEPS + 1)])[:, None]
    y = iterates(discrete.nesterov_convex_look_ahead(H, r))
    np.testing.assert_allclose(y, x + momentum * np.diff(x, axis=0, prepend=x[:1]), rtol=0, atol=1e-12)


def test_strongly_convex_look_ahead_points_are_the_run_moved_on():
    x = iterates(discrete.nesterov_strongly_convex(H, 0.5))
    y = iterates(discrete.nesterov_strongly_convex_look_ahead(H, 0.5))
    momentum = (1 - math.sqrt(0.5 * H)) / (1 + math.sqrt(0.5 * H))
    np.testing.assert_allclose(y, x + momentum * np.diff(x, axis=0, prepend=x[:1]), rtol=0, atol=1e-12)


def test_heavy_ball_strongly_convex_has_the_momentum_of_nesterov_s_method():
    method = discrete.heavy_ball_strongly_convex(H, 0.5)
    assert isinstance(method, discrete.HeavyBall)
    assert (method.learning_rate, method.momentum) == (H, discrete.nesterov_strongly_convex(H, 0.5).momentum)


def losses_of_modes(method):
    x = np.asarray(discrete.run(method, MODES.loss, MODES.params, steps=1000, keep_params=True).params)
    return CURVATURES * x[1:] ** 2 / 2


@pytest.mark.parametrize("r", [3.0, 5.0])
def test_the_bound_of_su_boyd_and_candes_holds_where_gradient_descent_breaks_it(r):
    """L(x_n) - L* <= (r - 1)^2 |x_0 - x*|^2 / (2 h (n + r - 2)^2) from n = 1, here with h = 1 = 1/sharpness."""
    n = np.arange(1, 1001)[:, None]
    bound = (r - 1) ** 2 / (2 * (n + r - 2) ** 2)
    assert 0.1 < np.max(losses_of_modes(discrete.nesterov_convex(1.0, r)) / bound) <= 1
    assert np.max(losses_of_modes(discrete.GradientDescent(1.0)) / bound) > 10


@pytest.mark.parametrize("make", [discrete.nesterov_convex, discrete.nesterov_convex_look_ahead])
@pytest.mark.parametrize("r", [0.0, -3.0, float("nan"), float("inf")])
def test_r_must_be_positive(make, r):
    with pytest.raises(ValueError, match=f"`r` must be positive, got {r}; 3 is Nesterov's"):
        make(0.1, r)


STRONGLY_CONVEX = [
    discrete.nesterov_strongly_convex,
    discrete.nesterov_strongly_convex_look_ahead,
    discrete.heavy_ball_strongly_convex,
    discrete.SymplecticEuler,
]
every_strongly_convex = pytest.mark.parametrize("make", STRONGLY_CONVEX, ids=lambda make: make.__name__)


@every_strongly_convex
@pytest.mark.parametrize("strong_convexity", [0.0, -1.0, 10.1, float("nan")])
def test_strong_convexity_times_learning_rate_must_lie_in_zero_one(make, strong_convexity):
    with pytest.raises(ValueError, match=r"`strong_convexity` times `learning_rate` must lie in \(0, 1\], got"):
        make(0.1, strong_convexity)


@every_strongly_convex
def test_a_momentum_that_follows_from_the_learning_rate_takes_no_schedule(make):
    with pytest.raises(ValueError, match="`learning_rate` must be a number here"):
        make(lambda n: 0.1 / (n + 1), 0.5)
