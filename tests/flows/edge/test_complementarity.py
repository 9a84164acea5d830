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


@pytest.mark.parametrize("a", [-1.0, -1e-9, 0.0, 1e-9, 1.0])
@pytest.mark.parametrize("b", [-1.0, 0.0, 1e-9, 1.0])
def test_one_direction_is_solved_or_told_to_be_impossible(a, b):
    """All cases by hand: X = 0 where A >= 0, -A/B where B > 0, else none."""
    found = solved(np.array([[a]]), np.array([[b]]), rounding=1e-14)
    possible = a >= 0 or b > 0
    assert bool(found.out_of_reach) == (not possible)
    assert (float(found.residual) < 1e-10) == possible
    if possible:
        assert float(found.matrix[0, 0]) == pytest.approx(max(0.0, -a / b) if b > 0 else 0.0, rel=1e-12)


def positive_matrices():
    """The 2 x 2 matrices X >= 0 of trace 1 on a fine grid: the disc of radius 1/2."""
    radius, angle = np.meshgrid(np.linspace(0, 0.5, 41), np.linspace(0, 2 * np.pi, 241))
    x, y = radius * np.cos(angle), radius * np.sin(angle)
    return np.stack([0.5 + x, 2**0.5 * y, 0.5 - x], axis=-1).reshape(-1, 3)


def smallest_eigenvalues(rows):
    """Of 2 x 2 matrices, in the basis of the pairs."""
    mean, half = (rows[..., 0] + rows[..., 2]) / 2, (rows[..., 0] - rows[..., 2]) / 2
    return mean - np.sqrt(half**2 + rows[..., 1] ** 2 / 2)


@pytest.mark.parametrize("rank", [0, 1, 2, 3])
@pytest.mark.parametrize("seed", range(6))
def test_two_directions_agree_with_all_matrices_tried(rank, seed):
    """B of any rank: solved where some A + B[X] >= 0 is found on the grid, impossible where none is, at any trace."""
    random = np.random.default_rng(100 * rank + seed)
    factor = random.standard_normal((rank, 3))
    constant, operator = random.standard_normal(3), factor.T @ factor
    found = solved(np.asarray(symmetric(jnp.asarray(constant / pair_weights(2)), 2)), operator, rounding=1e-14)
    shapes = positive_matrices()
    traces = np.r_[0, np.geomspace(1e-3, 1e6, 120)]
    best = max(smallest_eigenvalues(constant + t * shapes @ operator.T).max() for t in traces)
    assert abs(best) > 1e-4 * np.linalg.norm(constant), "too close to tell on a grid"
    assert bool(found.out_of_reach) == (best < 0)
    assert (float(found.residual) < 1e-10) == (best > 0)
    if best > 0:
        x = pair_weights(2) * np.asarray(found.matrix)[[0, 0, 1], [0, 1, 1]]
        # The minimum of <X, BX>/2 + <A, X> over X >= 0, which the grid reaches from above only.
        tried = (traces[:, None, None] * shapes).reshape(-1, 3)
        values = np.sum((tried @ operator / 2 + constant) * tried, axis=1)
        assert x @ operator @ x / 2 + constant @ x <= values.min() + 1e-9


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_where_nothing_is_violated_nothing_oscillates_whatever_the_rank(k, seed):
    random = np.random.default_rng(seed)
    root, size = random.standard_normal((k, k)), k * (k + 1) // 2
    factor = random.standard_normal((seed, size))
    found = solved(root @ root.T * (seed > 1), factor.T @ factor)
    assert not np.any(found.matrix) and float(found.residual) < 1e-12 and not found.out_of_reach


def test_of_the_oscillations_that_do_the_same_the_least_is_taken():
    """Two directions that bend the loss alike: only the trace of X is asked for."""
    alike = np.outer([1.0, 0, 1], [1.0, 0, 1])
    np.testing.assert_allclose(solved(-np.eye(2), alike).matrix, np.eye(2) / 2, atol=1e-12)


def test_a_violation_within_the_rounding_is_none():
    """Not even where a tiny B would ask for a huge X."""
    tiny = np.array([[1e-20]])
    found = solved(np.array([[-1e-15]]), tiny, rounding=1e-13)
    assert float(found.matrix[0, 0]) == 0 and float(found.residual) < 1e-10
    assert float(solved(np.array([[-1e-12]]), tiny, rounding=1e-13).matrix[0, 0]) == pytest.approx(1e8)
    nothing = solved(np.array([[-1e-10]]), np.zeros((1, 1)), rounding=1e-13)
    assert float(nothing.residual) > 1e-8 and nothing.out_of_reach


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
