"""The Bregman family: its order, its limit at the start, and its powers as one curve at different speeds."""

import functools

import jax
import numpy as np
import pytest

import comparisons
import discrete
import flows
import landscapes

TOY = landscapes.two_valleys()
SLOPE = np.asarray(jax.grad(TOY.loss)(TOY.params))
H = 0.0025


@pytest.mark.parametrize("power", [2, 3, 4])
@pytest.mark.slow
def test_the_leapfrog_and_the_flow_agree_to_second_order_in_the_root(power):
    found = comparisons.measure_order(
        functools.partial(discrete.bregman_leapfrog, power=power),
        flows.Bregman,
        TOY.loss,
        TOY.params,
        learning_rates=[(2 / steps) ** 2 for steps in (40, 60, 100, 200)],
        duration=2.0,
        start="rest",
    )
    assert found.claimed == 2 and found.holds, str(found)


def solved(power: int, learning_rate: float, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Times and params of every step."""
    flow = flows.Bregman(discrete.bregman_leapfrog(learning_rate, power))
    tight = flows.explicit(rtol=1e-11, atol=1e-13)
    solution = flows.solve(flow, TOY.loss, TOY.params, steps=steps, keep_params=True, integrator=tight)
    return solution.times, np.asarray(solution.params)


@functools.cache
def second(step: float):
    return solved(2, step**2, 64)


@pytest.mark.parametrize(("power", "counts"), [(3, [0, 1, 4, 9, 16]), (4, range(9))])
def test_a_higher_power_is_the_second_at_another_speed(power, counts):
    """X_p(t) = X_2(t^(p/2)): where p steps by e, 2 steps by e^(p/2), and n steps of p are n^(p/2) steps of 2."""
    step, counts = 0.36, np.array(counts)
    (times, fast), (slow_times, slow) = solved(power, step ** (4 / power), int(counts[-1])), second(step)
    same = np.round(counts ** (power / 2)).astype(int)
    np.testing.assert_allclose(times[counts] ** (power / 2), slow_times[same], rtol=1e-14)
    np.testing.assert_allclose(fast[counts], slow[same], atol=1e-8)
    assert np.linalg.norm(slow[-1] - TOY.params) > 0.5


@pytest.mark.parametrize("power", [2, 3])
def test_the_start_is_that_of_the_series(power):
    """X = x_0 - (C/2) t^p grad L(x_0) + O(t^(2p))."""
    times, params = solved(power, H, 16)
    moved = params[1:] - TOY.params
    expected = -np.outer(times[1:] ** power, SLOPE) / 8
    error = np.linalg.norm(moved - expected, axis=1)
    assert np.polyfit(np.log(times[4:]), np.log(error[3:]), 1)[0] == pytest.approx(2 * power, abs=0.1)
    assert error[-1] < 0.3 * np.linalg.norm(expected[-1])


@pytest.mark.parametrize("time", [0.0, 1e-9, 0.1, 3.0])
def test_the_second_power_with_a_quarter_is_the_equation_of_su_boyd_and_candes(time):
    bregman = flows.Bregman(discrete.bregman_leapfrog(H, 2, 0.25))
    convex = flows.SuBoydCandes(discrete.nesterov_convex(H, 3.0))
    velocity = time * np.array([0.3, -0.7])
    found, expected = (flow.acceleration(TOY.loss, time, TOY.params, velocity) for flow in (bregman, convex))
    np.testing.assert_allclose(found, expected, rtol=1e-14)


@pytest.mark.parametrize("power", [2, 3, 4])
def test_the_acceleration_at_the_start_is_the_limit_of_those_that_follow(power):
    flow = flows.Bregman(discrete.bregman_leapfrog(H, power, 0.7))
    at_start = flow.acceleration(TOY.loss, 0.0, TOY.params, 0 * SLOPE)
    np.testing.assert_allclose(at_start, -0.7 * SLOPE if power == 2 else 0 * SLOPE, rtol=1e-15)
    time = 1e-6
    soon = flow.acceleration(TOY.loss, time, TOY.params, -0.35 * power * time ** (power - 1) * SLOPE)
    np.testing.assert_allclose(soon, at_start, atol=1e-5, rtol=1e-9)
