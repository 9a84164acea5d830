"""Elementary differentials: `combination` against all partial derivatives, contracted index by index."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from flows.modified.differentials import combination, products
from flows.modified.trees import LEAF, Tree, trees_of_order, trees_up_to

CHAIN, CHERRY = (LEAF,), (LEAF, LEAF)
TREES = list(trees_up_to(5))
POINT = jnp.array([0.4, -0.7])
WEIGHTS = dict(zip(trees_up_to(6), np.random.default_rng(3).normal(size=37).tolist(), strict=True))


def field(x):
    """Two-dimensional, no gradient, with derivatives of every order."""
    return jnp.array([jnp.sin(x[0] * x[1]) + x[1] ** 2, jnp.exp(x[0] - x[1] / 2) - x[0] ** 3])


def tensors(highest: int) -> list:
    """f, f', f'', ... at the point, as full arrays."""
    found, derivative = [field(POINT)], field
    for _ in range(highest):
        derivative = jax.jacfwd(derivative)
        found.append(jax.jit(derivative)(POINT))
    return [np.asarray(tensor) for tensor in found]


DERIVATIVES = tensors(5)


def contracted(tree: Tree) -> np.ndarray:
    """f^(m)(F(child 1), ..., F(child m)), one index after the other."""
    value = DERIVATIVES[len(tree)]
    for child in tree:
        value = value @ contracted(child)
    return value


@pytest.mark.parametrize("order", range(1, 6))
def test_every_tree_alone_is_its_contraction_of_partial_derivatives(order):
    trees = trees_of_order(order)
    found = jax.jit(lambda x: [combination(field, x, {tree: 1.0}) for tree in trees])(POINT)
    np.testing.assert_allclose(found, [contracted(tree) for tree in trees], rtol=1e-12)


def test_every_pair_of_trees_to_order_4_adds_up():
    """Every way in which two trees can share a ladder, or not."""
    trees = list(trees_up_to(4))
    pairs = [(a, b) for i, a in enumerate(trees) for b in trees[:i]]
    found = jax.jit(lambda x: [combination(field, x, {a: 2.0, b: -3.0}) for a, b in pairs])(POINT)
    np.testing.assert_allclose(found, [2 * contracted(a) - 3 * contracted(b) for a, b in pairs], rtol=1e-11)


@pytest.mark.parametrize("highest", [3, 5, 6])
def test_a_random_combination_of_all_trees_is_the_sum_of_them(highest):
    weights = {tree: WEIGHTS[tree] for tree in trees_up_to(highest)}
    expected = sum(weight * contracted(tree) for tree, weight in weights.items())
    found = jax.jit(lambda x: combination(field, x, weights))(POINT)
    np.testing.assert_allclose(found, expected, rtol=1e-11)


@pytest.mark.parametrize("seed", range(4))
def test_a_random_part_of_the_trees_in_any_order_is_the_sum_of_them(seed):
    chosen = np.random.default_rng(seed).permutation(len(TREES))[:6]
    weights = {TREES[i]: WEIGHTS[TREES[i]] for i in chosen}
    expected = sum(weight * contracted(tree) for tree, weight in weights.items())
    np.testing.assert_allclose(jax.jit(lambda x: combination(field, x, weights))(POINT), expected, rtol=1e-11)


def test_a_nested_pytree_has_the_differentials_of_its_flat_vector():
    nest = {"a": [POINT[:1], jnp.float64(1.5)], "b": (jnp.ones((1, 2)) * POINT,)}
    flat, unravel = ravel_pytree(nest)

    def nested(tree):
        return jax.tree.map(lambda leaf, other: jnp.sin(leaf) * jnp.sum(other), tree, jax.tree.map(jnp.cos, tree))

    weights = {tree: WEIGHTS[tree] for tree in trees_up_to(4)}
    found = jax.jit(lambda tree: combination(nested, tree, weights))(nest)
    assert jax.tree.structure(found) == jax.tree.structure(nest)
    expected = jax.jit(lambda w: combination(lambda v: ravel_pytree(nested(unravel(v)))[0], w, weights))(flat)
    np.testing.assert_allclose(ravel_pytree(found)[0], expected, rtol=1e-12)


def test_no_tree_is_the_zero_field_and_one_leaf_the_field():
    np.testing.assert_array_equal(combination(field, POINT, {}), 0)
    np.testing.assert_array_equal(combination(field, POINT, {LEAF: 2.0}), 2 * field(POINT))


def test_float32_stays_float32():
    found = jax.eval_shape(lambda x: combination(field, x, WEIGHTS), POINT.astype(jnp.float32))
    assert found.dtype == jnp.float32


@pytest.mark.parametrize(
    ("trees", "expected"),
    [
        ([], 0),
        ([LEAF], 0),
        ([CHAIN], 1),
        ([(CHAIN,)], 2),
        ([CHERRY], 2),
        ([LEAF, CHAIN, CHERRY, (CHAIN,)], 3),
        ([CHAIN, (CHAIN,), ((CHAIN,),)], 3),
        ([(LEAF,) * 3], 3),
    ],
)
def test_products_are_counted_as_they_are_nested(trees, expected):
    assert products(trees) == expected


def test_order_2_costs_one_product_and_shared_ladders_fewer_than_the_trees_alone():
    assert products(trees_up_to(1)) == 0 and products(trees_up_to(2)) == 1
    for highest in range(3, 9):
        trees = list(trees_up_to(highest))
        assert products(trees) < sum(products([tree]) for tree in trees)


def test_a_polynomial_of_degree_n_ends_with_the_derivative_n():
    """f = x^3: F(tree) vanishes from four children on; f'''(f, f, f) = 6 x^9 and f'f = 3 x^5."""
    cube, x = (lambda x: x**3), jnp.array(2.0)
    assert combination(cube, x, {(LEAF,) * 3: 1.0}) == 6 * 2**9
    assert combination(cube, x, {CHAIN: 1.0}) == 3 * 2**5
    assert combination(cube, x, {(LEAF,) * 4: 1.0}) == 0


@jax.custom_vjp
def ruled_sine(x):
    return jnp.sin(x)


ruled_sine.defvjp(lambda x: (ruled_sine(x), x), lambda x, g: (g * jnp.cos(x),))


def test_a_loss_with_a_reverse_rule_only_has_the_differentials_of_the_loss_without():
    def downhill(sine):
        return jax.grad(lambda x: sine(x[0] * x[1]) + jnp.exp(x[0] - x[1] / 2) * sine(x[1]))

    weights = {tree: WEIGHTS[tree] for tree in trees_up_to(4)}
    ruled, plain = (jax.jit(lambda x, s=s: combination(downhill(s), x, weights))(POINT) for s in (ruled_sine, jnp.sin))
    np.testing.assert_allclose(ruled, plain, rtol=1e-11)
