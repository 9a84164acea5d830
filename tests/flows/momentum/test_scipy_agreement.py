"""Solutions of the momentum equations against closed forms and against scipy's integrators."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.special import j1, jv

import discrete
import flows
import landscapes

H, STRONG_CONVEXITY = 0.01, 0.25
pytestmark = pytest.mark.slow
RATES = np.array([STRONG_CONVEXITY, 1.0, 4.0])
DIAGONAL = landscapes.Quadratic(jnp.diag(jnp.asarray(RATES)), jnp.zeros(3))
START = jnp.array([1.0, -2.0, 0.5])
TOY = landscapes.two_valleys()
TIGHT = flows.explicit(rtol=1e-11, atol=1e-13)


def solved(flow, loss, start, steps: int, every: int):
    """Times, params, and the state at the end."""
    solution = flows.solve(flow, loss, start, steps=steps, every=every, keep_params=True, integrator=TIGHT)
    assert solution.completed
    return solution.times, np.asarray(solution.params), solution.final_state


def on_the_quadratic(flow):
    return solved(flow, DIAGONAL, START, 100, 10)[:2]


BESSEL = {3.0: lambda z: 2 * j1(z) / z, 5.0: lambda z: 8 * jv(2, z) / z**2}


@pytest.mark.parametrize(("r", "shape"), BESSEL.items(), ids=["r = 3", "r = 5"])
def test_on_a_quadratic_the_convex_equation_is_a_bessel_function(r, shape):
    times, params = on_the_quadratic(flows.SuBoydCandes(discrete.nesterov_convex(H, r)))
    expected = START * shape(np.outer(times[1:], np.sqrt(RATES)))
    np.testing.assert_allclose(params[1:], expected, rtol=0, atol=1e-8)
    np.testing.assert_array_equal(params[0], START)


def oscillator(friction, pull, velocity, times):
    """x'' + friction x' + pull x = 0 from x = 1; velocity, friction and pull one a mode."""
    root = np.sqrt((friction / 2) ** 2 - pull + 0j)
    times = times[:, None]
    # sinh(root t)/root, which is t where the damping is critical.
    late = times * np.sinc(1j * root * times / np.pi)
    return np.real(np.exp(-friction / 2 * times) * (np.cosh(root * times) + (velocity + friction / 2) * late))


@pytest.mark.parametrize(
    ("cls", "make", "damping", "kick"),
    [
        (flows.LowResolution, discrete.heavy_ball_strongly_convex, 0, 0),
        (flows.HighResolution, discrete.heavy_ball_strongly_convex, 0, 0.5),
        (flows.HighResolution, discrete.nesterov_strongly_convex_look_ahead, 1, 1.5),
    ],
    ids=["low resolution", "heavy ball", "look-ahead points"],
)
def test_on_a_quadratic_the_strongly_convex_equations_are_damped_oscillators(cls, make, damping, kick):
    step, root = H**0.5, (H * STRONG_CONVEXITY) ** 0.5
    times, params = on_the_quadratic(cls(make(H, STRONG_CONVEXITY)))
    pull = RATES * (1 if cls is flows.LowResolution else 1 + root)
    friction = 2 * STRONG_CONVEXITY**0.5 + damping * step * RATES
    expected = START * oscillator(friction, pull, -kick * step * RATES, times)
    np.testing.assert_allclose(params, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("method", "t_0"),
    [(discrete.nesterov_convex_look_ahead(H), 0.15), (discrete.nesterov_convex(H, 5.0), 0.15)],
    ids=["look-ahead points", "Nesterov, r = 5"],
)
def test_the_high_resolution_equation_of_the_toy_agrees_with_scipy_on_its_hessian(method, t_0):
    """X'' + (r/t) X' + sqrt(h) H X' + (1 + r sqrt(h)/(2 t)) grad L = 0 from X'(t_0) = -sqrt(h) grad L(x_0)."""
    gradient, hessian = jax.jit(jax.grad(TOY.loss)), jax.jit(jax.hessian(TOY.loss))
    flow = flows.HighResolutionConvex(method)
    times, params, _ = solved(flow, TOY.loss, TOY.params, 40, 5)

    def field(t, state):
        x, v = state[:2], state[2:]
        damping = flow.r / t * v + 0.1 * np.asarray(hessian(x)) @ v
        return np.concatenate([v, -damping - (1 + 0.05 * flow.r / t) * np.asarray(gradient(x))])

    begin = np.concatenate([TOY.params, -0.1 * gradient(TOY.params)])
    found = solve_ivp(field, (t_0, t_0 + times[-1]), begin, "DOP853", t_0 + times, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(params, found.y[:2].T, atol=1e-9)


CURVATURES = np.geomspace(0.1, 1.0, 6)
FLAT = landscapes.Quadratic(jnp.diag(jnp.asarray(CURVATURES)), jnp.zeros(6))
FAR = jnp.asarray(CURVATURES**-0.5)
RESTART_H, RESTART_STEPS = 0.04, 300


@functools.cache
def restarted(steps: int, every: int):
    flow = flows.SpeedRestart(discrete.RestartedNesterov(RESTART_H))
    return solved(flow, FLAT, FAR, steps, every)


def piece(x, duration: float):
    """One piece of the restarted equation, until |X'|^2 stops growing."""

    def field(t, state):
        x, v = state[:6], state[6:]
        return np.concatenate([v, -3 / t * v - CURVATURES * x if t > 0 else -CURVATURES * x / 4])

    def growth(t, state):
        # Its value at t = 0 is 0; over t it is positive there.
        return state[6:] @ field(t, state)[6:] / t if t > 0 else 1.0

    growth.terminal, growth.direction = True, -1
    return solve_ivp(
        field,
        (0, duration),
        np.concatenate([x, 0 * x]),
        "DOP853",
        events=growth,
        rtol=1e-11,
        atol=1e-13,
        dense_output=True,
    )


@functools.cache
def restarted_by_scipy() -> tuple[np.ndarray, np.ndarray]:
    """The times of the restarts, and the params at every tenth step."""
    end = RESTART_STEPS * RESTART_H**0.5
    times, x, now, restarts, rows = np.linspace(0, end, RESTART_STEPS // 10 + 1), np.asarray(FAR), 0.0, [], []
    while now < end:
        found = piece(x, end - now)
        inside = times[(times >= now) & (times < now + found.t[-1])]
        rows += [found.sol(t - now)[:6] for t in inside]
        now, x = now + found.t[-1], found.y[:6, -1]
        restarts.append(now)
    return np.array(restarts[:-1]), np.array([*rows, x])


def test_restarts_by_speed_agree_with_terminal_events_of_scipy():
    restarts, expected = restarted_by_scipy()
    _, found, _ = restarted(RESTART_STEPS, 10)
    scale = np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(found / scale, expected / scale, rtol=0, atol=1e-9)
    assert len(restarts) > 5 and scale[-1] < 0.01 * scale[0]


def test_no_piece_is_shorter_than_the_sharpness_allows():
    """4/(5 sqrt(S)) of lemma 12."""
    restarts, _ = restarted_by_scipy()
    assert np.all(np.diff(restarts, prepend=0) >= 0.8 / CURVATURES[-1] ** 0.5)


@pytest.mark.parametrize("steps", [60, 150, RESTART_STEPS])
def test_the_time_of_the_last_restart_is_in_the_state(steps):
    restarts, _ = restarted_by_scipy()
    last = restarts[restarts < steps * RESTART_H**0.5][-1]
    assert float(restarted(steps, steps // 30)[2].since) == pytest.approx(last, rel=1e-9)


def test_restarts_fall_where_they_fall_however_often_the_flow_is_sampled():
    (_, often, end), (_, seldom, same_end) = restarted(RESTART_STEPS, 1), restarted(RESTART_STEPS, 10)
    scale = np.linalg.norm(seldom, axis=1, keepdims=True)
    np.testing.assert_allclose(often[::10] / scale, seldom / scale, rtol=0, atol=1e-9)
    assert float(end.since) == pytest.approx(float(same_end.since), rel=1e-9)


@pytest.mark.slow
def test_restarts_are_found_in_single_precision_too():
    flow, single = flows.SpeedRestart(discrete.RestartedNesterov(0.04)), jnp.ones(1, jnp.float32)
    runs = [
        flows.solve(flow, lambda x: 0.5 * jnp.sum(x**2), start, steps=100, every=10)
        for start in (single, single.astype(float))
    ]
    assert [run.status for run in runs] == ["completed"] * 2
    assert float(runs[0].final_state.since) == pytest.approx(float(runs[1].final_state.since), rel=1e-3)
