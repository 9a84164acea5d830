"""The top of the spectrum, cold and tracked, against prescribed spectra, dense decompositions and ARPACK."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.sparse.linalg import LinearOperator, eigsh

import landscapes
from landscapes.curvature.eigenpairs import DENSE_BELOW, default_tolerance, search, start_block

SIZE = 100
BULK = np.linspace(0, 5, SIZE - 5)
SPECTRA = {
    "outliers above a bulk": [*BULK, 10, 9, 8, 7, 6],
    "outliers of both signs": [*np.linspace(-100, 1, SIZE - 5), 10, 9, 8, 7, 6],
    "all negative": -np.linspace(1, 50, SIZE),
    "all negative, the top ten equal": [*-np.ones(10), *-np.linspace(2, 9, SIZE - 10)],
    "the top five equal": [*BULK, 10, 10, 10, 10, 10],
    "two pairs of equals": [*BULK, 10, 10, 9, 9, 8],
    "decaying as a network's": [*-np.geomspace(1e-6, 0.5, SIZE // 2), *np.geomspace(1e-6, 3, SIZE // 2)],
    "positive with a null space": [*np.zeros(SIZE // 2), *np.linspace(0.1, 5, SIZE // 2)],
    "all equal and positive": np.ones(SIZE),
    "all equal and negative": -np.ones(SIZE),
    "zero": np.zeros(SIZE),
    "of rank one": [*np.zeros(SIZE - 1), 7],
}
CLUSTER = np.array([*BULK, 10 - 4e-3, 10 - 3e-3, 10 - 2e-3, 10 - 1e-3, 10])


@functools.cache
def random_basis(size: int, seed: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((size, size)))[0]


def symmetric(eigenvalues, seed: int = 0) -> np.ndarray:
    """A symmetric matrix with these eigenvalues and random eigenvectors."""
    basis = random_basis(len(eigenvalues), seed)
    return (basis * np.asarray(eigenvalues, float)) @ basis.T


@functools.partial(jax.jit, static_argnames=("k", "which", "tolerance"))
def pairs_of(matrix, k=1, block=None, which="largest", tolerance=None):
    """Eigenpairs of the Hessian of w'Aw/2, which is A."""
    params = jnp.zeros(matrix.shape[0], matrix.dtype)
    loss = lambda w: 0.5 * w @ (matrix @ w)  # noqa: E731
    return landscapes.top_eigenpairs(loss, params, k, block=block, which=which, tolerance=tolerance)


def relative_error(found, truth) -> float:
    return np.max(np.abs(np.asarray(found) - truth)) / np.max(np.abs(truth))


# One matrix


@pytest.mark.parametrize("k", [1, 5])
@pytest.mark.parametrize("eigenvalues", SPECTRA.values(), ids=SPECTRA)
def test_the_largest_eigenvalues_are_the_prescribed_ones(eigenvalues, k):
    truth = np.sort(eigenvalues)[::-1]
    pairs = pairs_of(symmetric(eigenvalues), k)
    np.testing.assert_allclose(pairs.values, truth[:k], rtol=0, atol=1e-6 * abs(truth[:k]).max() + 1e-13)


@pytest.mark.parametrize("eigenvalues", SPECTRA.values(), ids=SPECTRA)
def test_the_smallest_eigenvalues_are_the_prescribed_ones(eigenvalues):
    truth = np.sort(eigenvalues)
    pairs = pairs_of(symmetric(eigenvalues), 5, which="smallest")
    np.testing.assert_allclose(pairs.values, truth[:5], rtol=0, atol=1e-6 * abs(truth[:5]).max() + 1e-13)


def test_a_cluster_is_resolved_once_its_neighbours_are_in_the_block():
    assert relative_error(pairs_of(symmetric(CLUSTER), 5).values, np.sort(CLUSTER)[::-1][:5]) < 1e-7


def test_a_tight_tolerance_resolves_a_cluster_that_the_default_takes_for_one_eigenvalue():
    pairs = pairs_of(symmetric(CLUSTER), 1, tolerance=1e-14)
    assert relative_error(pairs.values, np.array([10.0])) < 1e-9


@given(seed=st.integers(0, 10**6))
def test_each_value_lies_within_its_residual_of_an_eigenvalue_and_not_above_the_true_one(seed):
    random = np.random.default_rng(seed)
    eigenvalues = np.concatenate([random.normal(size=SIZE - 5), random.normal(3, 10 ** random.uniform(-5, 0), 5)])
    pairs = pairs_of(symmetric(eigenvalues, seed), 5)
    values = np.asarray(pairs.values)
    nearest = np.min(np.abs(values[:, None] - eigenvalues), axis=1)
    assert np.all(nearest <= np.asarray(pairs.residuals) * np.abs(values) + 1e-13)
    assert np.all(values <= np.sort(eigenvalues)[::-1][:5] + 1e-13)


@pytest.mark.parametrize("which", ["largest", "smallest"])
@pytest.mark.parametrize("name", ["outliers above a bulk", "all negative", "outliers of both signs"])
def test_the_reported_residual_is_that_of_the_reported_pair(name, which):
    matrix = symmetric(SPECTRA[name])
    pairs = pairs_of(matrix, 5, which=which)
    values, vectors = np.asarray(pairs.values), np.asarray(pairs.vectors)
    defects = np.linalg.norm(vectors @ matrix - values[:, None] * vectors, axis=1)
    rounding = 100 * np.finfo(float).eps * np.abs(np.linalg.eigvalsh(matrix)).max()
    known = np.abs(values) > 1e-6
    assert known.sum() >= 4
    np.testing.assert_allclose(pairs.residuals[known], (defects / np.abs(values))[known], rtol=1e-3, atol=1e-12)
    assert np.all(np.asarray(pairs.residuals) * rounding <= 1.01 * defects + 1e-12)


@pytest.mark.parametrize("name", ["outliers above a bulk", "the top five equal", "all equal and negative"])
def test_the_vectors_and_the_block_are_orthonormal(name):
    pairs = pairs_of(symmetric(SPECTRA[name]), 5)
    for rows in (pairs.vectors, pairs.block):
        np.testing.assert_allclose(rows @ rows.T, np.eye(len(rows)), atol=1e-12)


def test_the_vectors_are_those_of_a_dense_decomposition_up_to_sign():
    matrix = symmetric(SPECTRA["outliers above a bulk"])
    expected = np.linalg.eigh(matrix)[1].T[::-1][:5]
    np.testing.assert_allclose(np.abs(np.sum(pairs_of(matrix, 5).vectors * expected, axis=1)), 1, atol=1e-6)


MOST = 12


@functools.cache
def counted(name: str):
    """Two pairs found with at most twelve products, and how often the operator was really applied."""
    made = []

    def operator(vector):
        jax.debug.callback(lambda: made.append(1))
        return jnp.asarray(symmetric(SPECTRA[name])) @ vector

    start = start_block(jnp.zeros(SIZE), 2)
    pairs = jax.jit(lambda start: search(operator, start, 2, tolerance=1e-7, max_products=MOST))(start)
    jax.effects_barrier()
    return pairs, len(made)


@pytest.mark.parametrize(("name", "runs_out"), [("of rank one", False), ("all negative", True)])
def test_the_reported_products_are_the_products_that_were_made(name, runs_out):
    pairs, made = counted(name)
    assert pairs.products == made
    assert (made == MOST) == runs_out


def test_a_search_that_runs_out_of_products_says_so_in_its_residuals():
    pairs, _ = counted("all negative")
    assert np.all(np.asarray(pairs.residuals) > 1e-2)


def test_a_start_without_rows_invents_no_pairs():
    pairs = pairs_of(np.eye(80), 4, block=jnp.zeros((5, 80)))
    np.testing.assert_allclose(pairs.values, 1, rtol=1e-12)
    np.testing.assert_allclose(pairs.vectors @ pairs.vectors.T, np.eye(4), atol=1e-12)


def test_all_eigenvalues_can_be_asked_for():
    eigenvalues = np.linspace(-1, 2, 70)
    np.testing.assert_allclose(pairs_of(symmetric(eigenvalues), 70).values, eigenvalues[::-1], atol=1e-12)


@pytest.mark.parametrize("scale", [1e-10, 1e10])
def test_in_float32_the_relative_error_does_not_depend_on_the_units_of_the_loss(scale):
    eigenvalues = scale * np.asarray(SPECTRA["outliers above a bulk"])
    pairs = pairs_of(symmetric(eigenvalues).astype(np.float32), 5)
    assert pairs.values.dtype == pairs.residuals.dtype == pairs.block.dtype == np.float32
    assert relative_error(pairs.values, np.sort(eigenvalues)[::-1][:5]) < 2e-5


def test_a_zero_eigenvalue_at_the_lower_end_counts_as_converged():
    assert pairs_of(symmetric(SPECTRA["positive with a null space"]), 5, which="smallest").products < 400


def test_a_hessian_that_is_not_a_number_gives_no_number():
    pairs = pairs_of(np.full((SIZE, SIZE), np.nan), 5)
    assert np.all(np.isnan(pairs.values))


def test_the_default_tolerance_is_what_the_precision_allows():
    assert default_tolerance(jnp.float64) == 5e-7
    assert default_tolerance(jnp.float32) == pytest.approx(1.2e-5, rel=0.01)


# Each value by its own measure


STEEP = {
    "falling by 2 each": 2.0 ** -np.arange(SIZE),
    "as raw features give": np.geomspace(1e12, 1, SIZE),
    "one far above": [*np.linspace(1, 2, SIZE - 1), 1e9],
    "two equal far below": [*np.linspace(0, 0.5, SIZE - 4), 1, 1, 1e6, 1e9],
    "negative and steep": -np.geomspace(1e-3, 1e6, SIZE),
}


@pytest.mark.parametrize("k", [2, 6])
@pytest.mark.parametrize("eigenvalues", STEEP.values(), ids=STEEP)
def test_each_value_is_right_relative_to_itself_however_far_it_lies_below_the_first(eigenvalues, k):
    truth = np.sort(eigenvalues)[::-1][:k]
    pairs = pairs_of(symmetric(eigenvalues), k)
    rounding = 100 * np.finfo(float).eps * np.abs(eigenvalues).max()
    np.testing.assert_allclose(pairs.values, truth, rtol=1e-5, atol=rounding)
    assert pairs.converged and pairs.products <= SIZE


@pytest.mark.parametrize("eigenvalues", STEEP.values(), ids=STEEP)
def test_so_is_each_of_the_smallest(eigenvalues):
    truth = np.sort(eigenvalues)[:3]
    pairs = pairs_of(symmetric(eigenvalues), 3, which="smallest")
    rounding = 100 * np.finfo(float).eps * np.abs(eigenvalues).max()
    np.testing.assert_allclose(pairs.values, truth, rtol=1e-5, atol=rounding)


def test_a_value_that_is_not_found_shows_it_beside_a_far_larger_one():
    eigenvalues = [*np.linspace(1, 2, 599), 1e9]
    pairs = jax.jit(lambda w: landscapes.top_eigenpairs(of_diagonal(eigenvalues), w, 4, max_products=12))(
        jnp.zeros(600)
    )
    wrong = np.abs(np.asarray(pairs.values) / [1e9, 2, 2, 2] - 1)
    assert not pairs.converged and np.any(wrong > 1e-3)
    assert np.all(np.asarray(pairs.residuals)[wrong > 1e-3] > 1e-3)


# Exact where the budget allows


def of_diagonal(eigenvalues):
    """w'Dw/2: a diagonal is as hard for a search from a random start as any other basis."""
    return lambda w: jnp.sum(jnp.asarray(eigenvalues) * w**2) / 2


@pytest.mark.parametrize("n", [DENSE_BELOW, 65, 86, 300])
@pytest.mark.parametrize("which", ["largest", "smallest"])
def test_what_no_search_resolves_is_exact_after_n_products(n, which):
    eigenvalues = (1 if which == "smallest" else -1) * np.r_[-1e-3, np.geomspace(1e-4, 1e4, n - 1)]
    pairs = jax.jit(lambda w: landscapes.top_eigenpairs(of_diagonal(eigenvalues), w, which=which))(jnp.zeros(n))
    np.testing.assert_allclose(pairs.values, [eigenvalues[0]], rtol=1e-7)
    assert pairs.converged and pairs.products <= n


def test_several_searches_at_once_are_exact_where_one_of_them_must_be():
    both = jnp.stack([-jnp.r_[-1e-3, jnp.geomspace(1e-4, 1e4, 79)], jnp.r_[10.0, jnp.linspace(0, 5, 79)]])
    pairs = jax.jit(jax.vmap(lambda d: landscapes.top_eigenpairs(of_diagonal(d), jnp.zeros(80))))(both)
    np.testing.assert_allclose(pairs.values[:, 0], [1e-3, 10], rtol=1e-6)
    assert pairs.products[0] == 80 and pairs.products[1] < 40


# Small matrices


def test_below_sixty_four_parameters_the_answer_is_exact_and_costs_a_product_per_parameter():
    eigenvalues = np.linspace(-3, 2, DENSE_BELOW - 1)
    matrix = symmetric(eigenvalues)
    pairs = pairs_of(matrix, 4)
    np.testing.assert_allclose(pairs.values, eigenvalues[::-1][:4], atol=1e-13)
    assert pairs.products == DENSE_BELOW - 1 and np.all(pairs.residuals < 1e-13)


def test_below_sixty_four_parameters_the_smallest_come_ascending():
    eigenvalues = np.linspace(-3, 2, 10)
    np.testing.assert_allclose(pairs_of(symmetric(eigenvalues), 3, which="smallest").values, eigenvalues[:3])


def test_a_larger_hessian_is_not_formed():
    assert pairs_of(symmetric(SPECTRA["of rank one"])).products < 20


# Tracking

MEASUREMENTS = 40


@functools.partial(jax.jit, static_argnames="k")
def tracked(matrices, k):
    """Values and products along a path of matrices, each search started from the block of the one before."""

    def measure(block, matrix):
        pairs = pairs_of(matrix, k, block)
        return pairs.block, (pairs.values, pairs.products)

    return jax.lax.scan(measure, start_block(jnp.zeros(matrices.shape[1]), k), matrices)[1]


@pytest.mark.parametrize("k", [1, 5])
@pytest.mark.parametrize("name", ["all negative", "outliers of both signs"])
def test_along_a_slow_path_warm_searches_are_right_at_no_more_than_half_the_cost_of_cold_ones(name, k):
    change = np.random.default_rng(1).standard_normal((SIZE, SIZE)) / SIZE
    path = np.stack([symmetric(SPECTRA[name]) + 1e-3 * t * (change + change.T) for t in range(MEASUREMENTS)])
    values, products = tracked(path, k)
    truth = np.linalg.eigvalsh(path)[:, ::-1][:, :k]
    cold = np.mean([pairs_of(path[t], k).products for t in (0, 20, 39)])
    assert relative_error(values, truth) < 1e-6
    assert np.mean(products[1:]) <= cold / 2


BLIND = SIZE // 2


def two_blocks(top_eigenvalues, hidden: float) -> np.ndarray:
    """A matrix of two exactly uncoupled blocks; the second holds one eigenvalue besides zeros."""
    first = symmetric([*np.linspace(-2, 5, BLIND - len(top_eigenvalues)), *top_eigenvalues])
    direction = np.random.default_rng(2).standard_normal(BLIND)
    second = hidden * np.outer(direction, direction) / (direction @ direction)
    matrix = np.zeros((2 * BLIND, 2 * BLIND))
    matrix[:BLIND, :BLIND], matrix[BLIND:, BLIND:] = first, second
    return matrix


@pytest.mark.parametrize("k", [1, 5])
@pytest.mark.parametrize("tops", [(10, 9, 8), (10, 9.99, 9.98, 9.97)], ids=str)
@pytest.mark.parametrize("path", [np.repeat([0.0, 20.0], 20), np.linspace(0, 20, 40)], ids=["sudden", "gradual"])
def test_an_uncoupled_mode_that_overtakes_the_tracked_ones_is_found_within_fifteen_measurements(path, tops, k):
    matrices = np.stack([two_blocks(tops, hidden) for hidden in path])
    values, _ = tracked(matrices, k)
    wrong = np.max(np.abs(values - np.linalg.eigvalsh(matrices)[:, ::-1][:, :k]), axis=1) > 1e-5
    assert wrong.sum() <= 15, np.flatnonzero(wrong)


# A network


@pytest.fixture(scope="module")
def descent():
    """An MLP on digits, points of a run of gradient descent past the edge of stability, and its top four pairs."""
    problem = landscapes.digits_mlp(widths=(4,), examples=60)
    step = jax.jit(lambda w: jax.tree.map(lambda a, g: a - 0.3 * g, w, jax.grad(problem.loss)(w)))
    points = [problem.params]
    for _ in range(60):
        points.append(step(points[-1]))
    return problem, points[::15], jax.jit(lambda w, block: landscapes.top_eigenpairs(problem.loss, w, 4, block=block))


def test_on_a_network_the_tracked_values_equal_those_of_a_dense_decomposition(descent):
    problem, points, track = descent
    dense = jax.jit(lambda w: landscapes.dense_hessian(problem.loss, w))
    block = start_block(problem.params, 4)
    for params in points:
        pairs = track(params, block)
        block = pairs.block
        assert relative_error(pairs.values, np.linalg.eigvalsh(dense(params))[::-1][:4]) < 1e-6


def test_on_a_network_the_values_equal_those_of_arpack(descent):
    problem, points, track = descent
    product = jax.jit(lambda v: landscapes.hessian_operator(problem.loss, points[-1])(v))
    n = problem.dimension
    operator = LinearOperator((n, n), matvec=lambda v: np.asarray(product(v.ravel())), dtype=float)
    truth = np.sort(eigsh(operator, 4, which="LA", return_eigenvectors=False))[::-1]
    assert relative_error(track(points[-1], start_block(problem.params, 4)).values, truth) < 1e-6


# Misuse


@pytest.mark.parametrize("size", [3, 80])
@pytest.mark.parametrize("k", [0, -1, 81])
def test_a_number_of_pairs_that_does_not_exist_is_refused(size, k):
    with pytest.raises(ValueError, match=f"`k` must lie between 1 and the number of parameters {size}, got {k}"):
        landscapes.top_eigenpairs(lambda w: w @ w, jnp.zeros(size), k)


def test_a_bad_number_of_pairs_is_refused_also_for_a_warm_start():
    with pytest.raises(ValueError, match="`k` must lie between 1 and the number of parameters 80, got 0"):
        landscapes.top_eigenpairs(lambda w: w @ w, jnp.zeros(80), 0, block=jnp.eye(2, 80))


@pytest.mark.parametrize("which", ["LA", "both", None])
def test_an_unknown_end_of_the_spectrum_is_refused(as_installed, which):
    with pytest.raises(ValueError, match="`which` must be 'largest' or 'smallest', got"):
        landscapes.top_eigenpairs(lambda w: w @ w, jnp.zeros(3), which=which)


@pytest.mark.parametrize("shape", [(1, 80), (3, 79)])
def test_a_block_of_another_size_is_refused(shape):
    with pytest.raises(ValueError, match="`block` must have at least k = 2 rows of 80 numbers, got shape"):
        landscapes.top_eigenpairs(lambda w: w @ w, jnp.zeros(80), 2, block=jnp.eye(*shape))


def test_fewer_products_than_the_start_needs_are_refused():
    with pytest.raises(ValueError, match="`max_products` must be at least the 3 of the start, got 2"):
        landscapes.top_eigenpairs(lambda w: w @ w, jnp.zeros(80), 2, max_products=2)
