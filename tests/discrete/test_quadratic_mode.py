"""The roots of a method on a mode: against the eigenvalues of its own step, closed forms, and what runs do."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.flatten_util import ravel_pytree

import discrete
import landscapes
from discrete.descent.tableaux import HEUN, KUTTA_3, KUTTA_4, MIDPOINT

H = 0.7
MOMENTUM = {
    "heavy ball": discrete.HeavyBall(H, 0.8),
    "nesterov": discrete.Nesterov(H, 0.8),
    "look-ahead points": discrete.NesterovLookAhead(H, 0.8),
    "two-step, 0.3": discrete.TwoStep(H, 0.8, 0.3),
    "two-step, -0.4": discrete.TwoStep(H, 0.8, -0.4),
    "symplectic euler": discrete.SymplecticEuler(H, 0.05),
    "muehlebach and jordan": discrete.muehlebach_jordan(H, 0.05, 1.3),
}
METHODS = {
    "gradient descent": discrete.GradientDescent(H),
    "no momentum": discrete.HeavyBall(H, 0.0),
    **MOMENTUM,
    "midpoint": discrete.RungeKutta(H, MIDPOINT),
    "heun": discrete.RungeKutta(H, HEUN),
    "kutta-3": discrete.RungeKutta(H, KUTTA_3),
    "kutta-4": discrete.RungeKutta(H, KUTTA_4),
}


def matrix_of_a_step(method, curvature):
    """d (x, state) / d (x, state) over one step on L = curvature x^2/2."""
    here, unravel = ravel_pytree((jnp.ones(1), method.init(jnp.ones(1))))

    def step(point):
        return ravel_pytree(method.step(lambda x: curvature * x, *unravel(point)))[0]

    return np.asarray(jax.jacobian(step)(here))


@pytest.mark.parametrize("z", [0.01, 0.3, 1.0, 1.9])
@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_the_roots_are_the_eigenvalues_of_one_step(method, z):
    mode, matrix = discrete.mode(method, z / H), matrix_of_a_step(method, z / H)
    np.testing.assert_allclose(np.poly(mode.roots), np.poly(matrix), rtol=0, atol=1e-13)
    eigenvalues = np.linalg.eigvals(matrix)
    largest = eigenvalues[np.argmax(np.abs(eigenvalues))]
    # A double eigenvalue is computed to half the digits only.
    assert mode.radius == pytest.approx(abs(largest), rel=1e-7, abs=1e-7)
    assert np.exp(-mode.damping) == pytest.approx(mode.radius, rel=1e-14)
    assert mode.radius == 0 or mode.angle == pytest.approx(abs(np.angle(largest)), rel=1e-7)


@pytest.mark.parametrize("method", MOMENTUM.values(), ids=MOMENTUM)
def test_the_roots_are_a_pair_exactly_between_the_ends_of_the_oscillating_range(method):
    ends = discrete.oscillating_range(method)
    assert ends is not None and ends[0] < ends[1]
    inside, outside = np.linspace(*ends, 9)[1:-1], [0.5 * ends[0], 1.5 * ends[1]]
    near = [end * (1 + sign * 1e-6) for end, sign in zip(ends, (1, -1), strict=True)]
    beyond = [end * (1 - sign * 1e-6) for end, sign in zip(ends, (1, -1), strict=True)]
    assert all(np.iscomplex(np.linalg.eigvals(matrix_of_a_step(method, s))).all() for s in [*inside, *near])
    assert all(np.isreal(np.linalg.eigvals(matrix_of_a_step(method, s))).all() for s in [*outside, *beyond])
    assert {discrete.mode(method, float(s)).motion for s in [*inside, *near]} == {"oscillating"}
    assert "oscillating" not in {discrete.mode(method, float(s)).motion for s in [*outside, *beyond]}


@pytest.mark.parametrize("method", [m for m in METHODS.values() if m not in MOMENTUM.values()], ids=repr)
def test_without_momentum_no_mode_oscillates(method):
    assert discrete.oscillating_range(method) is None


@pytest.mark.parametrize("b", [0.1, 0.5, 0.9, 0.99])
def test_heavy_ball_oscillates_between_the_squares_of_one_less_and_one_more_than_the_root_of_b(b):
    """Polyak 1964: a pair of modulus sqrt(b) for (1 - sqrt b)^2 < h s < (1 + sqrt b)^2, real roots elsewhere."""
    method, root = discrete.HeavyBall(H, b), np.sqrt(b)
    lower, upper = (1 - root) ** 2 / H, (1 + root) ** 2 / H
    assert discrete.oscillating_range(method) == pytest.approx((lower, upper), rel=1e-10)
    for curvature in np.linspace(lower, upper, 12)[1:-1].tolist():
        mode = discrete.mode(method, curvature)
        assert mode.motion == "oscillating" and mode.radius == pytest.approx(root, rel=1e-14)
        assert np.cos(mode.angle) == pytest.approx((1 + b - H * curvature) / (2 * root), abs=1e-14)
    slow, fast = discrete.mode(method, 0.9 * lower), discrete.mode(method, 1.1 * upper)
    assert (slow.motion, fast.motion) == ("monotone", "alternating")
    assert slow.radius > root < fast.radius


def coordinate(method, curvature, steps):
    loss = landscapes.Quadratic(jnp.array([[curvature]]), jnp.zeros(1))
    observe = {"x": lambda x: x[0]}
    return discrete.run(method, loss, jnp.ones(1), steps=steps, observe=observe).observations["x"]


@pytest.mark.parametrize("z", [0.1, 0.3, 0.6])
@pytest.mark.parametrize("method", MOMENTUM.values(), ids=MOMENTUM)
def test_a_run_changes_sign_twice_in_a_period(method, z):
    mode, steps = discrete.mode(method, z / H), 1000
    assert mode.motion == "oscillating" and 0.5 < mode.radius < 1.5  # 1,000 steps do not underflow
    x = coordinate(method, z / H, steps)
    changes = np.flatnonzero(np.diff(np.sign(x)))
    period = 2 * (changes[-1] - changes[0]) / (len(changes) - 1)
    # Either end of the count is known to a step.
    assert abs(period - 2 * np.pi / mode.angle) < 4 / (len(changes) - 1)


@pytest.mark.parametrize("z", [0.4, 0.97, 1.03, 1.6, 2.2])
def test_gradient_descent_alternates_above_one_over_h(z):
    mode, x = discrete.mode(discrete.GradientDescent(H), z / H), coordinate(discrete.GradientDescent(H), z / H, 12)
    assert mode.motion == ("monotone" if z < 1 else "alternating")
    assert np.all((x[1:] * x[:-1] < 0) == (z > 1))
    np.testing.assert_allclose(np.abs(x), mode.radius ** np.arange(13), rtol=1e-10)


def test_a_mode_that_ends_in_one_step_has_infinite_damping():
    mode = discrete.mode(discrete.GradientDescent(0.5), 2.0)
    assert (mode.radius, mode.damping) == (0.0, np.inf)


REFUSED = {
    "a scheduled learning rate": (discrete.GradientDescent(lambda n: 0.1 / (n + 1)), "has a schedule"),
    "a scheduled momentum": (discrete.nesterov_convex(0.1), "Nesterov has a schedule"),
    "two schedules": (discrete.bregman_leapfrog(0.1), "HeavyBall has a schedule"),
    "optax": (discrete.from_optax(optax.adam(0.1), 0.1), "OptaxMethod is no linear recursion on a quadratic mode"),
    "restarts": (discrete.RestartedNesterov(0.1), "RestartedNesterov is no linear recursion on a quadratic mode"),
}


@pytest.mark.parametrize("ask", [lambda m: discrete.mode(m, 1.0), discrete.oscillating_range], ids=["mode", "range"])
@pytest.mark.parametrize(("method", "message"), REFUSED.values(), ids=REFUSED)
def test_a_method_without_roots_is_refused(ask, method, message):
    with pytest.raises(ValueError, match=message):
        ask(method)


def test_a_root_of_zero_is_no_oscillation():
    dead = discrete.mode(discrete.GradientDescent(0.5), 2.0)
    assert (dead.radius, dead.angle, dead.motion) == (0.0, 0.0, "monotone")


def test_the_oscillation_of_a_look_ahead_of_minus_one_has_no_upper_end():
    method = discrete.TwoStep(0.1, 0.5, -1.0)
    assert discrete.oscillating_range(method) == pytest.approx((0.25 / 4 / 0.1, np.inf))
    assert discrete.mode(method, 5.0).motion == "oscillating"
