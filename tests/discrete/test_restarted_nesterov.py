"""Restarts: the two rules against loops in numpy, and the linear rate that they give without knowing the convexity."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import discrete
import landscapes

RULES = pytest.mark.parametrize("when", ["speed", "gradient"])
PROBLEM = landscapes.quadratic(eigenvalues=np.geomspace(3e-3, 1, 10).tolist(), seed=6)
STEPS = 300


def warped(x):
    """Strongly convex, and no quadratic."""
    return PROBLEM.loss(x) + 0.05 * jnp.sum(jnp.cosh(x) - 1)


GRADIENT = jax.jit(jax.grad(warped))


def restarted_by_hand(when, r, earliest):
    """Su, Boyd and Candes' x and y, with y = x after a restart (O'Donoghue and Candes); rows x_0, ... and restarts."""
    y, rows, restarts, j, speed = np.asarray(PROBLEM.params), [np.asarray(PROBLEM.params)], [], 0, 0.0
    for k in range(1, STEPS + 1):
        slope = np.asarray(GRADIENT(y))
        rows.append(y - 0.8 * slope)
        moved = rows[-1] - rows[-2]
        last, speed = speed, float(np.linalg.norm(moved))
        if j >= earliest and (speed < last if when == "speed" else slope @ moved > 0):
            # Speeds are compared between restarts: the next step has none before it.
            j, speed = 1, 0.0
            restarts.append(k)
        else:
            j += 1
        y = rows[-1] + (j - 1) / (j + r - 1) * moved
    return np.array(rows), restarts


def iterates(method):
    run = discrete.run(method, warped, PROBLEM.params, steps=STEPS, keep_params=True)
    return np.asarray(run.params), run.final_state


@RULES
@pytest.mark.parametrize(("r", "earliest"), [(3.0, 1), (4.5, 1), (3.0, 25)])
def test_a_restarted_run_is_the_loop_by_hand(when, r, earliest):
    expected, restarts = restarted_by_hand(when, r, earliest)
    run, state = iterates(discrete.RestartedNesterov(0.8, r, when, earliest))
    assert len(restarts) >= 3 and min(np.diff(restarts)) >= earliest
    np.testing.assert_allclose(run, expected, rtol=0, atol=1e-12)
    assert int(state.age) == STEPS + 1 - restarts[-1]


@RULES
@pytest.mark.parametrize("earliest", [1, 40, 90])
def test_until_its_first_restart_a_run_is_nesterov_s_and_that_is_not_before_the_earliest(when, earliest):
    plain, _ = iterates(discrete.nesterov_convex(0.8))
    run, _ = iterates(discrete.RestartedNesterov(0.8, when=when, earliest=earliest))
    parted = int(np.argmax(np.abs(run - plain).max(axis=1) > 1e-9))
    _, restarts = restarted_by_hand(when, 3.0, earliest)
    assert restarts[0] > earliest
    # The step after a restart still has the old point in common, and no momentum.
    assert parted == restarts[0] + 1


def logarithms_of_losses(method, strong_convexity, steps):
    problem = landscapes.quadratic(eigenvalues=np.geomspace(strong_convexity, 1, 40).tolist(), seed=1)
    observe = {"loss": problem.loss}
    run = discrete.run(method, problem.loss, problem.params, steps=steps, every=steps // 100, observe=observe)
    return run.steps[10:], np.log(run.observations["loss"][10:])


@pytest.mark.parametrize(("when", "least", "most"), [("speed", 0.6, 0.8), ("gradient", 1.3, 1.7)])
def test_restarts_give_a_linear_rate_in_the_root_of_the_convexity_that_they_are_not_told(when, least, most):
    """log L(x_n) falls by c sqrt(m h) a step, c in the band, over 100/sqrt(m h) steps."""
    convexities = np.array([1e-2, 1e-3, 1e-4, 1e-5])
    rates = []
    for m in convexities.tolist():
        steps = int(1 / np.sqrt(m)) * 100
        n, restarted = logarithms_of_losses(discrete.RestartedNesterov(1.0, when=when), m, steps)
        _, plain = logarithms_of_losses(discrete.nesterov_convex(1.0), m, steps)
        rates.append(-np.polyfit(n, restarted, 1)[0])
        assert least < rates[-1] / np.sqrt(m) < most
        assert restarted[-1] < plain[-1] - 15 * np.log(10)
    exponent, _ = np.polyfit(np.log(convexities), np.log(rates), 1)
    assert abs(exponent - 0.5) < 0.05


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"earliest": 0}, "`earliest` must be at least 1, got 0"),
        ({"r": 0.0}, "`r` must be positive, got 0.0"),
        ({"r": float("nan")}, "`r` must be positive, got nan"),
        ({"learning_rate": -0.1}, "`learning_rate` must be a positive finite number"),
    ],
    ids=str,
)
def test_bad_settings_are_refused_by_name(settings, message):
    with pytest.raises(ValueError, match=message):
        discrete.RestartedNesterov(**({"learning_rate": 0.1} | settings))
