"""On a quadratic the iterates are powers of a matrix: 1,000 steps against that matrix in extended precision."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, strategies as st

import discrete
import landscapes

H = 0.1
STEPS = 1000
# Products h lambda from 1.99 to 1e-4: slow enough that the end is no rounding, and one mode at the edge.
PROBLEM = landscapes.quadratic(eigenvalues=(19.9, 0.01, 0.003, 0.001), seed=3)


def recursion(matrix, x, momentum, look_ahead, steps):
    """x_{n+1} = x_n + b d_n - h A (x_n + a d_n), d_n = x_n - x_{n-1}, in long double; rows x_0, ..., x_steps."""
    a, b, h, matrix = (np.asarray(value, np.longdouble) for value in (look_ahead, momentum, H, matrix))
    rows = [np.asarray(x, np.longdouble)] * 2
    for _ in range(steps):
        moved = rows[-1] - rows[-2]
        rows.append(rows[-1] + b * moved - h * (matrix @ (rows[-1] + a * moved)))
    return np.array(rows[1:])


METHODS = {
    "gradient descent": (discrete.GradientDescent(H), 0.0, 0.0),
    "heavy ball, 0.5": (discrete.HeavyBall(H, 0.5), 0.5, 0.0),
    "heavy ball, 0.99": (discrete.HeavyBall(H, 0.99), 0.99, 0.0),
    "nesterov, 0.3": (discrete.Nesterov(H / 2, 0.3), 0.3, 0.3),
}


@pytest.mark.parametrize(("method", "momentum", "look_ahead"), METHODS.values(), ids=METHODS)
def test_a_thousand_iterates_agree_with_the_matrix_recursion(method, momentum, look_ahead):
    matrix = np.asarray(PROBLEM.loss.matrix, np.longdouble) * np.longdouble(method.learning_rate) / np.longdouble(H)
    run = discrete.run(method, PROBLEM.loss, PROBLEM.params, steps=STEPS, keep_params=True)
    expected = recursion(matrix, PROBLEM.params, momentum, look_ahead, STEPS)
    errors = np.linalg.norm(np.asarray(run.params - expected, float), axis=1)
    sizes = np.linalg.norm(expected.astype(float), axis=1)
    assert 0.01 < sizes[-1] < 0.9 * sizes[0]
    assert np.max(errors / sizes) < 1e-12


@given(product=st.floats(0.01, 3.9), momentum=st.floats(0, 0.99), look_ahead=st.booleans())
def test_one_mode_follows_the_power_of_its_companion_matrix(product, momentum, look_ahead):
    """Any h lambda and momentum, stable or not: [x, v] -> M [x, v] taken 32 times by repeated squaring."""
    make = discrete.Nesterov if look_ahead else discrete.HeavyBall
    ahead = momentum if look_ahead else 0.0
    kick, keep = -product, momentum - product * ahead
    matrix = np.array([[1 + kick, keep], [kick, keep]], np.longdouble)
    expected = np.linalg.matrix_power(matrix, 32) @ np.array([1, 0], np.longdouble)
    loss = landscapes.Quadratic(jnp.array([[product]]), jnp.zeros(1))
    run = discrete.run(make(1.0, momentum), loss, jnp.ones(1), steps=32, divergence_radius=1e30)
    scale = max(1.0, float(np.max(np.abs(np.linalg.eigvals(matrix.astype(float)))))) ** 32
    np.testing.assert_allclose(
        [run.final_params[0], run.final_state[0]], expected.astype(float), rtol=1e-11, atol=1e-13 * scale
    )
