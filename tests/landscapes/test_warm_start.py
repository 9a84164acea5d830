"""Where a search for eigenvectors starts: the guess that would have been best the last time."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import landscapes
from landscapes.curvature import warm_start

SIZE, K, MEASUREMENTS = 100, 2, 24


def top(matrix, block, **settings):
    return landscapes.top_eigenpairs(lambda w: w @ matrix @ w / 2, jnp.zeros(SIZE), K, block=block, **settings)


@functools.partial(jax.jit, static_argnames="plain")
def followed(matrices, plain=False):
    """Values, products and rules along a path of matrices; plain starts each search at the last block."""

    def measure(track, matrix):
        pairs = top(matrix, track.block if plain else warm_start.guess(track))
        now = warm_start.followed(track, pairs)
        return now, (pairs.values, pairs.products, now.rule)

    return jax.lax.scan(measure, warm_start.begin(jnp.zeros(SIZE), K), matrices)[1]


def path(kind: str) -> np.ndarray:
    """A symmetric matrix with two outliers, turned by a small angle each time."""
    rng = np.random.default_rng(0)
    skew = rng.standard_normal((SIZE, SIZE)) / SIZE**0.5
    turns = {"flow": 4e-3 * np.arange(MEASUREMENTS), "oscillation": 2e-2 * (np.arange(MEASUREMENTS) % 2)}
    turns["rest"] = 0 * turns["flow"]
    diagonal = np.concatenate([np.linspace(-1, 1, SIZE - 3), [4, 8, 10]])
    made = []
    for angle in turns[kind]:
        rotation, _ = np.linalg.qr(np.eye(SIZE) + angle * (skew - skew.T))
        made.append((rotation * diagonal) @ rotation.T)
    return np.stack(made)


@pytest.mark.parametrize(("kind", "rule"), [("flow", 1), ("oscillation", 2)])
def test_the_guess_learns_how_the_eigenvectors_move_and_saves_products(kind, rule):
    matrices = path(kind)
    values, products, rules = followed(matrices)
    np.testing.assert_allclose(values, np.linalg.eigvalsh(matrices)[:, ::-1][:, :K], rtol=1e-6)
    assert np.all(rules[4:] == rule)
    _, plain, _ = followed(matrices, plain=True)
    assert products[4:].mean() < 0.8 * plain[4:].mean()


def test_at_rest_no_guess_costs_more_than_the_last_block():
    matrices = path("rest")
    assert followed(matrices)[1][3:].max() <= followed(matrices, plain=True)[1][3:].max()


def test_a_mode_that_the_others_do_not_see_is_found():
    hidden = np.zeros(SIZE)
    hidden[: SIZE // 2] = np.random.default_rng(1).standard_normal(SIZE // 2)
    hidden /= np.linalg.norm(hidden)
    rest = np.diag(np.r_[np.zeros(SIZE // 2), np.linspace(-2, 5, SIZE // 2)])
    values, *_ = followed(np.stack([rest + 20 * (t > 5) * np.outer(hidden, hidden) for t in range(30)]))
    assert np.sum(np.abs(values[:, 0] - np.where(np.arange(30) > 5, 20, 5)) > 1e-5) <= 15


PARTS, MEMBER = 8, 12


def ensemble(seed: int, moves: float) -> np.ndarray:
    """Block-diagonal matrices, as of networks trained at once; the top of each block rises and falls on its own."""
    rng = np.random.default_rng(seed)
    phases, rates = rng.uniform(0, 2 * np.pi, PARTS), rng.uniform(0.5, 1.5, PARTS)
    bases = [np.linalg.qr(rng.standard_normal((MEMBER, MEMBER)))[0] for _ in range(PARTS)]
    made = []
    for t in range(80):
        matrix = np.zeros((PARTS * MEMBER, PARTS * MEMBER))
        for i, basis in enumerate(bases):
            turned = np.linalg.qr(basis + 0.01 * t * np.roll(basis, 1, axis=0))[0]
            spectrum = np.r_[np.linspace(-1, 3, MEMBER - 2), 5, 10 + 3 * np.sin(phases[i] + moves * rates[i] * t)]
            matrix[i * MEMBER :, i * MEMBER :][:MEMBER, :MEMBER] = (turned * spectrum) @ turned.T
        made.append(matrix)
    return np.stack(made)


@pytest.mark.parametrize("moves", [0.02, 0.1], ids=["slow", "fast"])
@pytest.mark.parametrize("seed", range(3))
def test_in_an_ensemble_the_next_values_come_from_parts_that_were_not_among_the_first(seed, moves):
    matrices = ensemble(seed, moves)
    values, products, _ = searched(matrices)
    truth = np.linalg.eigvalsh(matrices)[:, ::-1][:, :K]
    wrong = "".join("x" if off else " " for off in np.any(np.abs(values / truth - 1) > 1e-3, axis=1))
    assert wrong.count("x") <= 5 and max(map(len, wrong.split(" "))) <= warm_start.COLD_EVERY_IN_PARTS
    assert products.mean() < 20


def searched(matrices):
    size = matrices.shape[1]

    def measure(track, matrix):
        loss = lambda w: w @ matrix @ w / 2  # noqa: E731
        pairs = landscapes.top_eigenpairs(loss, jnp.zeros(size), K, block=warm_start.guess(track))
        track = warm_start.followed(track, pairs)
        return track, (pairs.values, pairs.products, track.in_parts)

    return jax.jit(lambda made: jax.lax.scan(measure, warm_start.begin(jnp.zeros(size), K), made)[1])(matrices)


def test_a_mode_in_a_part_of_its_own_is_found_by_the_next_search_from_a_random_start():
    """As far as can be from all that is tracked, in a basis in which no parts are seen."""
    basis = np.linalg.qr(np.random.default_rng(5).standard_normal((SIZE, SIZE)))[0]
    spectrum = np.r_[np.linspace(-2, 5, SIZE - 3), 8, 10]
    matrices = [(basis * np.r_[spectrum, 20 * (t > 2)]) @ basis.T for t in range(40)]
    values, _, in_parts = searched(np.stack(matrices))
    late = np.abs(values[:, 0] - np.where(np.arange(40) > 2, 20, 10)) > 1e-3
    assert late.sum() <= 28 and not late[-9:].any() and not in_parts.any()


def test_a_search_that_found_no_numbers_changes_nothing():
    track = warm_start.begin(jnp.zeros(SIZE), K)
    kept = warm_start.followed(track, top(jnp.full((SIZE, SIZE), jnp.nan), track.block))
    assert all(np.array_equal(a, b) for a, b in zip(kept, track, strict=True))


# What need not converge: the starts are random


def test_pairs_short_of_the_value_that_matters_need_not_converge():
    matrix, start = path("rest")[0], warm_start.begin(jnp.zeros(SIZE), K).block
    whole, half, none = (top(matrix, start, beyond=beyond) for beyond in (None, 9.0, 11.0))
    assert none.products <= half.products < whole.products
    np.testing.assert_allclose(half.values[0], 10, rtol=1e-6)
    np.testing.assert_allclose(half.values[1], 8, rtol=5e-3)
    np.testing.assert_allclose(none.values, [10, 8], rtol=5e-3)


def test_of_the_smallest_those_above_the_value():
    matrix, start = -path("rest")[0], warm_start.begin(jnp.zeros(SIZE), K).block
    half = top(matrix, start, which="smallest", beyond=-9.0)
    np.testing.assert_allclose(half.values[0], -10, rtol=1e-6)
    np.testing.assert_allclose(half.values[1], -8, rtol=5e-3)
