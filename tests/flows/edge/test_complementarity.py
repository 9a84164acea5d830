"""The complementarity solver against its conditions, closed forms and a general-purpose optimizer."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from flows.edge.complementarity import pair_weights, pairs, positive_part, solve_complementarity, symmetric

SOLVE = jax.jit(solve_complementarity)


def problem(k: int, seed: int, *, rank: int | None = None):
    """A random A and a random positive B in the basis of the pairs."""
    random = np.random.default_rng(seed)
    size = k * (k + 1) // 2
    factor = random.standard_normal((size if rank is None else rank, size))
    constant = random.standard_normal((k, k))
    return (constant + constant.T) / 2 - 0.3 * np.eye(k), factor.T @ factor + 1e-2 * np.eye(size)


def solved(constant, operator, active=None, **settings):
    k = len(constant)
    active = jnp.ones(k, bool) if active is None else jnp.asarray(active)
    return SOLVE(jnp.asarray(constant), jnp.asarray(operator), jnp.zeros((k, k)), active, **settings)


def slack(constant, operator, matrix):
    k = len(constant)
    index, weights = pairs(k), pair_weights(k)
    image = operator @ (weights * np.asarray(matrix)[index[:, 0], index[:, 1]])
    return constant + np.asarray(symmetric(jnp.asarray(image / weights), k))


@pytest.mark.parametrize("k", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(6))
def test_both_matrices_are_positive_and_orthogonal(k, seed):
    constant, operator = problem(k, seed)
    found = solved(constant, operator)
    x, y = np.asarray(found.matrix), slack(constant, operator, found.matrix)
    size = np.linalg.norm(constant)
    assert float(found.residual) < 1e-10
    assert np.linalg.eigvalsh(x).min() > -1e-12
    assert np.linalg.eigvalsh(y).min() > -1e-8 * size
    assert abs(np.sum(x * y)) < 1e-8 * size * max(1, np.linalg.norm(x))


@pytest.mark.parametrize("seed", range(4))
def test_the_quadratic_program_behind_it_has_the_minimum_that_scipy_finds(seed):
    k = 3
    constant, operator = problem(k, seed)
    index, weights = pairs(k), pair_weights(k)

    def objective(entries):
        root = entries.reshape(k, k)
        x = weights * (root @ root.T)[index[:, 0], index[:, 1]]
        return x @ operator @ x / 2 + (weights * constant[index[:, 0], index[:, 1]]) @ x

    random = np.random.default_rng(seed)
    best = min(
        scipy.optimize.minimize(objective, random.standard_normal(k * k), method="BFGS", options={"gtol": 1e-10}).fun
        for _ in range(3)
    )
    x = weights * np.asarray(solved(constant, operator).matrix)[index[:, 0], index[:, 1]]
    value = x @ operator @ x / 2 + (weights * constant[index[:, 0], index[:, 1]]) @ x
    assert value == pytest.approx(best, abs=1e-8) and best < -1e-3


@pytest.mark.parametrize(("a", "b", "x"), [(-3.0, 2.0, 1.5), (0.4, 2.0, 0.0), (0.0, 2.0, 0.0)])
def test_one_direction_has_a_closed_form_without_iterations(a, b, x):
    found = solved(np.array([[a]]), np.array([[b]]))
    assert float(found.matrix[0, 0]) == pytest.approx(x, abs=1e-15)
    assert int(found.iterations) == 0


def test_a_solution_without_slack_is_the_solution_of_a_linear_system():
    _, operator = problem(3, 1)
    target = np.array([[2.0, 0.3, 0.1], [0.3, 1.0, 0.2], [0.1, 0.2, 0.5]])
    constant = -slack(np.zeros((3, 3)), operator, target)
    found = solved(constant, operator)
    np.testing.assert_allclose(found.matrix, target, rtol=1e-10)
    assert int(found.iterations) == 0


def test_directions_out_of_play_do_not_oscillate_and_do_not_count():
    constant, operator = problem(3, 2)
    constant[2, 2] = -50.0
    found = solved(constant, operator, [True, True, False])
    alone = solved(constant[:2, :2], operator[:3, :3])
    np.testing.assert_allclose(found.matrix[:2, :2], alone.matrix, atol=1e-9)
    assert not np.any(np.asarray(found.matrix)[2]) and float(found.definiteness) == pytest.approx(
        float(alone.definiteness)
    )


def test_an_indefinite_operator_says_how_far_from_positive_it_is():
    found = solved(np.array([[-1.0, 0], [0, -1.0]]), np.diag([2.0, 1.0, -0.5]))
    assert float(found.definiteness) == pytest.approx(-0.25)


def test_an_impossible_problem_shows_its_residual():
    found = solved(np.array([[-1.0]]), np.array([[0.0]]))
    assert float(found.residual) > 1e-3


def test_a_limit_on_iterations_shows_its_residual():
    constant, operator = problem(4, 3)
    assert (
        float(solved(constant, operator).residual)
        < 1e-10
        < float(
            solve_complementarity(
                jnp.asarray(constant), jnp.asarray(operator), jnp.zeros((4, 4)), jnp.ones(4, bool), max_iterations=3
            ).residual
        )
    )


def test_the_positive_part_is_the_nearest_positive_matrix():
    matrix = np.array([[1.0, 2.0], [2.0, -1.0]])
    found = np.asarray(positive_part(jnp.asarray(matrix)))
    values = np.linalg.eigvalsh(matrix)
    assert np.linalg.norm(found - matrix) == pytest.approx(abs(values[0]))
    assert np.linalg.eigvalsh(found) == pytest.approx([0, values[1]], abs=1e-14)
