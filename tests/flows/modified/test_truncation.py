"""How many terms are kept: the sizes of the orders, the smallest term, and losses that have none beyond the Hessian."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import discrete
import flows
import landscapes
from discrete.descent.tableaux import MIDPOINT
from flows.modified import third_derivative_vanishes

TOY = landscapes.two_valleys()
H = 0.05


def mode(curvature: float):
    return landscapes.Quadratic(jnp.array([[curvature]]), jnp.zeros(1))


def test_the_terms_of_a_mode_are_those_of_the_logarithm():
    flow = flows.ModifiedFlow(discrete.GradientDescent(H), order=5)
    z = 0.6
    sizes = flow.terms(mode(z / H), jnp.ones(1))
    np.testing.assert_allclose(sizes, [z**k / k / H for k in range(1, 6)], rtol=1e-12)


@pytest.mark.parametrize("method", [discrete.HeavyBall(H, 0.3), discrete.GradientDescent(H)])
def test_the_terms_add_up_to_the_field(method):
    flow = flows.ModifiedFlow(method, order=4)
    fields = [flows.ModifiedFlow(method, order=p).vector_field(TOY.loss, 0.0, TOY.params) for p in range(1, 5)]
    by_difference = [np.linalg.norm(field) for field in np.diff(np.stack([0 * fields[0], *fields]), axis=0)]
    np.testing.assert_allclose(flow.terms(TOY.loss, TOY.params), by_difference, rtol=1e-10)


@pytest.mark.parametrize(("z", "kept"), [(0.5, 4), (1.2, 4), (1.4, 2), (3.0, 1)])
def test_the_optimal_order_keeps_the_terms_before_the_smallest(z, kept):
    flow = flows.ModifiedFlow(discrete.GradientDescent(H), order="optimal")
    field = flow.vector_field(mode(z / H), 0.0, jnp.ones(1))
    np.testing.assert_allclose(field, [-sum(z**k / k for k in range(1, kept + 1)) / H], rtol=1e-12)
    assert flow.order is None


def test_terms_that_vanish_raise_the_claim_and_cost_nothing():
    method = discrete.RungeKutta(H)
    assert [flows.ModifiedFlow(method, order=p).order for p in (1, 2, 4, 5)] == [4, 4, 4, 5]
    assert flows.ModifiedFlow(method, order=4).field_cost == flows.FieldCost(gradients=1)
    assert flows.GradientFlow(discrete.RungeKutta(H, MIDPOINT)).order == 2


def test_only_a_loss_without_third_derivative_is_said_to_have_none():
    x, y = jax.random.normal(jax.random.key(1), (2, 20, 3))
    layer = {"w": jnp.eye(3)}
    assert third_derivative_vanishes(mode(2.0), jnp.ones(1))
    assert third_derivative_vanishes(lambda p: jnp.sum((jax.nn.relu(x @ p["w"]) - y) ** 2), layer)
    assert not third_derivative_vanishes(lambda p: jnp.sum((jnp.tanh(x @ p["w"]) - y) ** 2), layer)
    assert not third_derivative_vanishes(TOY.loss, TOY.params)


def test_a_stateless_optax_method_has_the_iterate_flow_of_gradient_descent():
    through_optax = flows.IterateFlow(discrete.from_optax(optax.sgd(H), H), order=3)
    ours = flows.IterateFlow(discrete.GradientDescent(H), order=3)
    fields = [flow.vector_field(TOY.loss, 0.0, TOY.params) for flow in (through_optax, ours)]
    np.testing.assert_allclose(fields[0], fields[1], rtol=1e-13)


def test_an_unknown_start_is_refused():
    with pytest.raises((ValueError, TypeError), match="start"):
        flows.ModifiedFlow(discrete.HeavyBall(H), start="restless")
