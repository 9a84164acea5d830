"""Orders: a slope is recovered, claims are confirmed and refuted, and nothing is fitted where it means nothing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import comparisons
import discrete
import flows
import landscapes
from comparisons.theorems.order import extrapolated, regression

RATES = [0.004, 0.006, 0.009, 0.014]


def order_of(method, flow, rates=RATES, **more):
    problem = landscapes.two_valleys()
    return comparisons.measure_order(method, flow, problem.loss, problem.params, learning_rates=rates, **more)


class WrongSign(flows.ModifiedFlow):
    """The modified flow with its correction added on the wrong side."""

    def vector_field(self, loss, t, state):
        right = super().vector_field(loss, t, state)
        plain = flows.GradientFlow(self.method).vector_field(loss, t, state)
        return jax.tree.map(lambda p, r: 2 * p - r, plain, right)


def test_the_extrapolation_meets_zero_where_the_line_does_and_says_how_well():
    steps = 0.1 / np.arange(1, 9)
    limit, width = extrapolated(steps, 0.25 + 3 * steps)
    assert limit == pytest.approx(0.25, abs=1e-14) and width < 1e-13
    scatter = 1e-3 * np.random.default_rng(0).standard_normal((400, 8))
    found = [extrapolated(steps, 0.25 + 3 * steps + row) for row in scatter]
    covered = np.mean([abs(limit - 0.25) <= width for limit, width in found])
    assert 0.86 <= covered <= 0.96


def test_the_regression_recovers_a_known_slope():
    steps = np.geomspace(1e-3, 1e-1, 6)
    slope, width = regression(steps, 3 * steps**2)
    assert slope == pytest.approx(2, abs=1e-12)
    noisy, wide = regression(steps, 3 * steps**2 * np.array([1.1, 0.9, 1.1, 0.9, 1.1, 0.9]))
    assert abs(noisy - 2) < wide
    assert width < 1e-10 < wide


@pytest.mark.parametrize(("flow", "order"), [(flows.GradientFlow, 1), (flows.ModifiedFlow, 2)])
def test_the_flows_of_gradient_descent_have_their_orders(flow, order):
    found = order_of(discrete.GradientDescent, flow)
    assert found.claimed == order
    assert abs(found.slope - order) < 0.1
    assert found.holds


def test_the_modified_flow_of_heavy_ball_has_order_2_from_the_slow_manifold():
    found = order_of(lambda h: discrete.HeavyBall(h / 2, 0.5), flows.ModifiedFlow)
    assert found.verdict == "holds"
    assert abs(found.slope - 2) < 0.1


def test_a_wrong_coefficient_is_found_out():
    found = order_of(discrete.GradientDescent, WrongSign)
    assert found.claimed == 2
    assert found.verdict == "fails"
    assert abs(found.slope - 1) < 0.15


def test_outside_the_asymptotic_regime_nothing_is_fitted():
    found = order_of(lambda h: discrete.HeavyBall(h, 0.9), flows.ModifiedFlow)
    assert found.verdict == "undecided"
    assert np.isnan(found.slope)
    assert "asymptotic" in str(found)


def test_errors_at_the_floor_are_left_out():
    problem = landscapes.two_valleys()
    found = comparisons.measure_order(
        discrete.GradientDescent,
        flows.GradientFlow,
        lambda x: 1e-9 * problem.loss(x),
        problem.params,
        learning_rates=RATES,
    )
    assert found.verdict == "undecided"
    assert "floor" in str(found)


def test_float32_and_too_few_step_sizes_are_refused():
    problem = landscapes.two_valleys()
    with pytest.raises(ValueError, match="float64"):
        comparisons.measure_order(
            discrete.GradientDescent,
            flows.GradientFlow,
            problem.loss,
            problem.params.astype(jnp.float32),
            learning_rates=RATES,
        )
    with pytest.raises(ValueError, match="learning_rates"):
        order_of(discrete.GradientDescent, flows.GradientFlow, rates=[0.1, 0.2])
