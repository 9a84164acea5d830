"""The leading error: against closed forms, and against the distances that it predicts."""

import jax.numpy as jnp
import numpy as np
import pytest

import comparisons
import discrete
import flows
import landscapes
from discrete.descent.tableaux import MIDPOINT

TOY = landscapes.two_valleys()
TIGHT = flows.explicit(rtol=1e-11, atol=1e-13)


def error_of(flow, loss, start, steps=32) -> np.ndarray:
    run = flows.solve(flow, loss, start, steps=steps, every=steps // 4, integrator=TIGHT)
    return run.predictions["leading_error"]


def test_on_a_quadratic_mode_it_grows_like_the_first_term_left_out():
    """x_n = exp(-(l + h l^2/2 + h^2 l^3/3 + ...) t) x_0"""
    curvature, rate = 2.0, 1e-3
    flow = flows.LeadingError(discrete.GradientDescent(rate), order=2)
    found = error_of(flow, lambda x: jnp.sum(curvature * x**2) / 2, jnp.ones(1))[:, 0]
    t = rate * 8 * np.arange(5)
    expected = -(curvature**3) / 3 * t * np.exp(-(curvature + rate * curvature**2 / 2) * t)
    np.testing.assert_allclose(found, expected, rtol=3e-4)


def test_on_a_curved_loss_it_is_the_distance_of_gradient_flow():
    method, steps = discrete.GradientDescent(2.0**-8), 256
    models = {"flow": flows.GradientFlow(method)}
    run = comparisons.compare(method, models, TOY.loss, TOY.params, steps=steps, every=steps // 4, integrator=TIGHT)
    predicted = np.linalg.norm(error_of(flows.LeadingError(method), TOY.loss, TOY.params, steps), axis=1)
    found = run.divergence["flow"].distance
    np.testing.assert_allclose(found[1:], method.learning_rate * predicted[1:], rtol=0.05)


def test_it_claims_one_order_more_than_the_flow_it_corrects():
    method = discrete.GradientDescent(0.1)
    assert [flows.LeadingError(method, p).order for p in (1, 2, 3)] == [2, 3, 4]
    # The midpoint rule leaves out nothing of order 2.
    assert flows.LeadingError(discrete.RungeKutta(0.1, MIDPOINT), 1).order == 3


def test_an_order_without_known_trees_is_refused():
    with pytest.raises(ValueError, match="`order` must be at most 7, got 8"):
        flows.LeadingError(discrete.GradientDescent(0.1), 8)
