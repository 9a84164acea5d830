"""What methods say of themselves, against the steps that they take."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.signal import lfilter

import discrete
from discrete.descent.tableaux import HEUN
from discrete.traits import Recursion, Restarted, same

H, B, STEPS = 0.03, 0.6, 40
START = jnp.array([0.8, -0.5, 0.3])


def loss(x):
    return jnp.sum(jnp.array([1.0, 2.0, 4.0]) * x**2 / 2 + 0.1 * x**4) + 0.3 * x[0] * x[1] + 0.2 * jnp.sum(x)


gradient = jax.grad(loss)


@functools.cache
def iterates(method, steps: int = STEPS) -> np.ndarray:
    return np.asarray(discrete.run(method, loss, START, steps=steps, keep_params=True).params)


LINEAR = {
    "heavy ball": discrete.HeavyBall(H, B),
    "nesterov": discrete.Nesterov(H, B),
    "look-ahead points": discrete.NesterovLookAhead(H, B),
    "two-step": discrete.TwoStep(H, B, 0.25),
    "looking back": discrete.TwoStep(H, B, -0.4),
    "symplectic euler": discrete.SymplecticEuler(H, 0.5),
    "nesterov, convex": discrete.nesterov_convex(H),
    "look-ahead points, convex": discrete.nesterov_convex_look_ahead(H),
    "bregman leapfrog": discrete.bregman_leapfrog(H),
}


@pytest.mark.parametrize("method", LINEAR.values(), ids=LINEAR)
def test_the_recursion_of_a_method_takes_its_steps(method):
    rows, x, v = iterates(method), np.asarray(START), np.zeros(3)
    found = method.recursion()
    for n, expected in enumerate(rows):
        np.testing.assert_allclose(x, expected, rtol=1e-12, atol=1e-14)
        h, b, a, c, e = (float(k(n)) if callable(k) else float(k) for k in (method.learning_rate, *found[:4]))
        slope = np.asarray(gradient(jnp.asarray(x + a * v)))
        v = b * v - c * h * slope
        x = x + v - e * h * slope


@pytest.mark.parametrize("name", ["heavy ball", "nesterov", "look-ahead points", "two-step", "symplectic euler"])
@pytest.mark.parametrize("z", [0.0, 0.3, 2.7])
def test_the_polynomial_of_a_recursion_is_that_of_its_step_on_a_mode(name, z):
    """The step (x, v) -> (x, v) on L = (z/h) x^2/2 as a matrix."""
    b, a, c, e = (float(k) for k in LINEAR[name].recursion()[:4])
    step = np.array([[1 - (c + e) * z, b - (c + e) * a * z], [-c * z, b - c * a * z]])
    expected = [1.0, -np.trace(step), np.linalg.det(step)]
    np.testing.assert_allclose(LINEAR[name].recursion().characteristic(z), expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(LINEAR[name].characteristic(z), expected, rtol=1e-12, atol=1e-14)


FILTERED = {
    "gradient descent": discrete.GradientDescent(H),
    "heavy ball": discrete.HeavyBall(H, B),
    "look-ahead points": discrete.NesterovLookAhead(H, B),
    "symplectic euler": discrete.SymplecticEuler(H, 0.5),
    "rmsprop": discrete.RMSProp(H / 10, 0.9, 1e-3),
    "scalar rmsprop": discrete.ScalarRMSProp(H / 10, 0.9),
}


def filtered_steps(method, rows: np.ndarray) -> np.ndarray:
    """-h Phi(x_n, m_1, ...) along the points of a run, with scipy's filters over all gradients up to n."""
    slopes, found = jax.vmap(gradient)(jnp.asarray(rows)), method.filters()
    passed = []
    for one in found.filters:
        seen = np.asarray(jax.vmap(one.of)(slopes))
        passed.append(jnp.asarray(lfilter([float(one.weight)], [1.0, -float(one.decay)], seen, axis=0)))
    return np.array(
        [-method.learning_rate * found.update(x, tuple(m[n] for m in passed)) for n, x in enumerate(jnp.asarray(rows))]
    )


@pytest.mark.parametrize("method", FILTERED.values(), ids=FILTERED)
def test_the_filters_of_a_method_take_its_steps(method):
    rows = iterates(method)
    np.testing.assert_allclose(filtered_steps(method, rows)[:-1], np.diff(rows, axis=0), rtol=1e-9, atol=1e-14)


def test_those_of_bias_correction_do_once_it_has_died_and_not_before():
    method = discrete.RMSProp(H / 10, 0.5, 1e-3, bias_correction=True)
    rows = iterates(method, 80)
    told, taken = filtered_steps(method, rows)[:-1], np.diff(rows, axis=0)
    np.testing.assert_allclose(told[60:], taken[60:], rtol=1e-9)
    assert np.abs(told[1] / taken[1] - 1).min() > 0.1


@pytest.mark.parametrize("method", [FILTERED["rmsprop"], FILTERED["scalar rmsprop"]], ids=["entrywise", "scalar"])
@pytest.mark.parametrize("corrected", [True, False])
def test_a_memory_moves_by_its_drift_at_its_new_value(method, corrected):
    """M_n - M_{n-1} = drift(M_n, g_n): what the flow of the memory is read off, exact but for b^n."""
    method = type(method)(H, 0.9, 1e-3, corrected)
    told, before = method.memory(), method.init(START)
    params = START
    for _ in range(3):
        slope = gradient(params)
        params, state = method.step(gradient, params, before)
        after = told.of(state)
        np.testing.assert_allclose(told.drift(after, slope).nu, np.subtract(after.nu, before.nu), rtol=1e-12)
        np.testing.assert_array_equal(told.preconditioner(params, after), method.preconditioner(params, state))
        before = state


def test_an_oscillation_pushes_a_memory_by_the_mean_square_that_it_adds():
    """Gradients g +- s a: the drifts towards both squares, less that towards the square of their mean."""
    method, (g, a, nu) = FILTERED["rmsprop"], np.random.default_rng(0).normal(size=(3, 3))
    told, memory = method.memory(), method.init(START)._replace(nu=jnp.asarray(nu**2))
    both = [told.drift(memory, jnp.asarray(g + sign * a)).nu for sign in (1, -1)]
    expected = np.mean(both, axis=0) - told.drift(memory, jnp.asarray(g)).nu
    np.testing.assert_allclose(told.push(memory, jnp.asarray(a), jnp.asarray(a)).nu, expected, rtol=1e-12)


ENDING = {
    "gradient descent": (discrete.GradientDescent(H), math.pi),
    "heavy ball": (discrete.HeavyBall(H, B), math.pi),
    "look-ahead points": (discrete.NesterovLookAhead(H, B), math.pi),
    "symplectic euler": (discrete.SymplecticEuler(H, 0.5), math.pi),
    "heun": (discrete.RungeKutta(H, HEUN), 0.0),
    "a root of -1 first": (discrete.TwoStep(H, 0.2, -0.05), math.pi),
    "a pair first": (discrete.TwoStep(H, 0.8, -0.4), None),
}


@pytest.mark.parametrize(("method", "angle"), ENDING.values(), ids=ENDING)
def test_at_its_threshold_a_root_leaves_the_unit_circle_at_its_angle(method, angle):
    told = method.threshold()
    below, above = (discrete.mode(method, told.curvature * factor) for factor in (1 - 1e-5, 1 + 1e-5))
    assert below.radius < 1 < above.radius
    assert above.angle == pytest.approx(told.angle, abs=1e-3)
    assert not told.preconditioned and (angle is None) == (0.1 < told.angle < 3.1)
    if angle is not None:
        assert told.angle == pytest.approx(angle)


def test_the_other_thresholds_follow_from_the_one_that_a_method_answers():
    class Own(discrete.GradientDescent):
        def threshold(self):
            return discrete.HeavyBall(self.learning_rate, 0.5).threshold()

    class Before(discrete.GradientDescent):
        """As methods were written before there were traits."""

        def stability_threshold(self):
            return 7.0

        def threshold(self):
            return None

    assert Own(0.1).stability_threshold() == Own(0.1).effective_threshold == pytest.approx(30.0)
    assert Before(0.1).effective_threshold == 7.0
    method = FILTERED["rmsprop"]
    assert method.threshold().preconditioned and method.stability_threshold() is None
    assert method.effective_threshold == discrete.TimeAveraged(method).threshold().curvature == 2 / (H / 10)


def test_a_method_that_has_no_answer_says_none():
    scheduled = discrete.HeavyBall(lambda n: H / (n + 1), B)
    asked = ("filters", "alternation", "threshold", "memory")
    assert [getattr(scheduled, name)() for name in asked] == [None] * 4
    kutta = discrete.RungeKutta(H)
    assert kutta.filters() is None and kutta.alternation() is None and kutta.memory() is None
    assert discrete.Nesterov(H, B).filters() is None
    assert discrete.TwoStep(H, B, -0.2).alternation() is None
    averaged = discrete.TimeAveraged(FILTERED["heavy ball"])
    assert averaged.recursion() is None and averaged.alternation() is None
    with pytest.raises(ValueError, match="TimeAveraged is no linear recursion"):
        averaged.characteristic(1.0)


def test_restarts_are_told_apart_from_the_recursion_between_them():
    found = discrete.RestartedNesterov(H, r=4.0, when="gradient").recursion()
    assert isinstance(found, Restarted) and found.when == "gradient"
    assert found.between.is_nesterov and found.between.momentum == discrete.ConvexMomentum(4.0)


def test_coefficients_are_equal_when_they_are_known_to_be():
    assert Recursion(0.5, 0.5).is_nesterov and not Recursion(0.5, 0.4).is_nesterov
    assert Recursion(0.5, weight=0.5, direct=1.0).of_look_ahead_points
    assert not Recursion(0.5, weight=0.4, direct=1.0).of_look_ahead_points
    assert same(discrete.ConvexMomentum(4.0), discrete.ConvexMomentum(4.0))
    seen = []
    jax.jit(lambda a, b: seen.extend([same(a, a), same(a, b)]))(0.5, 0.5)
    assert seen == [True, False]
