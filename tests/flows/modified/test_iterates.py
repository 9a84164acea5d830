"""The field from the method's own iterates: equal to the series on a quadratic, exact weights, refusals."""

from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import discrete
import flows
import landscapes
from discrete.descent.tableaux import MIDPOINT
from flows.modified.iterates import derivative_weights, lagrange_weights

PROBLEM = landscapes.quadratic(eigenvalues=(3.0, 1.0, 0.2), seed=5)
DESCENT = discrete.GradientDescent(0.1)


def field(flow, loss=PROBLEM.loss, params=PROBLEM.params):
    return jax.jit(lambda x: flow.vector_field(loss, 0.0, x))(params)


@pytest.mark.parametrize("stencil", ["forward", "centred"])
@pytest.mark.parametrize("order", range(1, 6))
def test_on_a_quadratic_the_iterates_give_the_truncated_series_identically(order, stencil):
    """The largest h times curvature is 0.3: the next order would still be 3e-4 of the field, no accident at 1e-9."""
    expected = field(flows.ModifiedFlow(DESCENT, order=order))
    np.testing.assert_allclose(field(flows.IterateFlow(DESCENT, order, stencil)), expected, rtol=1e-9)
    following = field(flows.ModifiedFlow(DESCENT, order=order + 1))
    assert np.linalg.norm(following - expected) > 1e-4 * np.linalg.norm(expected)


def test_order_1_is_the_gradient_itself():
    for stencil in ("forward", "centred"):
        found = field(flows.IterateFlow(DESCENT, 1, stencil))
        np.testing.assert_allclose(found, -jax.grad(PROBLEM.loss)(PROBLEM.params), rtol=1e-12)


NODES = [[0, 1], [0, 1, 2], [-1, 0, 1], [-1, 0, 1, 2, 3], list(range(13))]


@pytest.mark.parametrize("nodes", NODES)
def test_the_weights_are_exact_on_polynomials(nodes):
    degrees = range(len(nodes))
    slopes = [sum(w * Fraction(n) ** d for w, n in zip(derivative_weights(nodes), nodes, strict=True)) for d in degrees]
    values = [
        sum(w * Fraction(n) ** d for w, n in zip(lagrange_weights(nodes, at=-3), nodes, strict=True)) for d in degrees
    ]
    assert slopes == [d == 1 for d in degrees]
    assert values == [Fraction(-3) ** d for d in degrees]


def test_forward_weights_are_those_of_the_logarithm_of_one_plus_delta():
    """log(1 + D) = D - D^2/2 + D^3/3 with D = E - 1"""
    assert derivative_weights([0, 1, 2, 3]) == [Fraction(-11, 6), 3, Fraction(-3, 2), Fraction(1, 3)]


@pytest.mark.parametrize(
    ("method", "order", "stencil", "gradients"),
    [
        (DESCENT, 1, "forward", 1),
        (DESCENT, 1, "centred", 1),
        (DESCENT, 4, "forward", 4),
        (DESCENT, 4, "centred", 4),
        (discrete.RungeKutta(0.1, MIDPOINT), 3, "forward", 6),
        (discrete.RungeKutta(0.1, MIDPOINT), 3, "centred", 6),
    ],
)
def test_the_cost_is_the_number_of_gradients_taken(method, order, stencil, gradients):
    calls = []

    def counted(x):
        calls.append(1)
        return PROBLEM.loss(x)

    flow = flows.IterateFlow(method, order, stencil)
    flow.vector_field(counted, 0.0, PROBLEM.params)
    assert flow.field_cost == flows.FieldCost(gradients=len(calls)) == flows.FieldCost(gradients=gradients)


def test_a_stateless_optax_method_is_a_black_box_like_any_other():
    black_box = discrete.from_optax(optax.sgd(0.1), learning_rate=0.1)
    toy = landscapes.two_valleys()
    found, expected = (field(flows.IterateFlow(m, 3), toy.loss, toy.params) for m in (black_box, DESCENT))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: flows.IterateFlow(discrete.HeavyBall(0.1, 0.5)), "a method without state, got HeavyBall"),
        (lambda: flows.IterateFlow(discrete.GradientDescent(lambda n: 0.1)), "GradientDescent has a schedule"),
        (lambda: flows.IterateFlow(DESCENT, 0), "`order` must be a whole number from 1 to 12, got 0"),
        (lambda: flows.IterateFlow(DESCENT, 13), "`order` must be at most 12, got 13"),
    ],
)
def test_what_has_no_iterates_to_go_by_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_stencil_that_is_none_is_refused():
    """By the types under test, by its own ValueError otherwise; both name what there is."""
    with pytest.raises((TypeError, ValueError), match=r"(?s)stencil.*'forward'.*'centred'"):
        flows.IterateFlow(DESCENT, 2, "backward")  # type: ignore[arg-type]


def test_float32_and_nested_params_keep_their_kind():
    nest = {"a": [jnp.ones(2, jnp.float32)], "b": jnp.float32(0.5)}
    found = field(flows.IterateFlow(DESCENT, 3, "centred"), lambda tree: jnp.sum(tree["a"][0] ** 4) * tree["b"], nest)
    assert jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), found) == jax.tree.map(
        lambda leaf: (leaf.shape, leaf.dtype), nest
    )
