"""Corners that a reader of the modified equations found: each was wrong once."""

from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import comparisons
import discrete
import flows
import landscapes
from discrete.descent.tableaux import MIDPOINT
from flows.modified import coefficients, convergence_radius
from flows.modified.scheme import heavy_ball_scheme
from flows.modified.series import series

TOY = landscapes.two_valleys()


def test_a_flow_that_expects_rest_refuses_a_start_on_the_slow_manifold():
    method = discrete.HeavyBall(0.004, 0.5)
    models = {"second": flows.ModifiedFlow(method), "rest": flows.ModifiedFlow(method, order=3, start="rest")}
    with pytest.raises(ValueError, match="contradicts 'rest'"):
        comparisons.compare(method, models, TOY, steps=4, start="slow-manifold")


def test_looking_one_step_back_is_no_look_ahead_point():
    found = comparisons.measure_order(
        lambda h: discrete.TwoStep(h, 0.5, -1.0),
        lambda m: flows.ModifiedFlow(m, order=2, start="rest"),
        TOY.loss,
        TOY.params,
        learning_rates=[0.001, 0.0015, 0.002, 0.003],
        start="rest",
        after=0.5,
    )
    assert found.holds, str(found)


def test_terms_that_a_method_lacks_do_not_end_the_optimal_series():
    flow = flows.ModifiedFlow(discrete.RungeKutta(0.05, MIDPOINT), order="optimal")
    terms = np.asarray(flow.terms(TOY.loss, TOY.params))
    assert terms[1] == 0 < terms[4] < terms[3] < terms[2]
    field = flow.vector_field(TOY.loss, 0.0, TOY.params)
    np.testing.assert_allclose(
        field, flows.ModifiedFlow(flow.method, order=4).vector_field(TOY.loss, 0.0, TOY.params), rtol=1e-13
    )
    assert flows.ModifiedFlow(discrete.RungeKutta(0.1), order=4).terms(TOY.loss, TOY.params).shape == (4,)


def test_the_optimal_order_has_no_corrected_start():
    with pytest.raises(ValueError, match="`start` 'rest' needs a fixed `order`"):
        flows.ModifiedFlow(discrete.HeavyBall(0.1, 0.5), order="optimal", start="rest")


def test_a_float_momentum_does_not_answer_for_its_fraction():
    assert all(isinstance(c, Fraction) for c in coefficients(heavy_ball_scheme(0.625), 3).values())
    assert series("heavy-ball", 3, "5/8").to_dict()["terms"][0]["coefficient"] == "8/3"


@pytest.mark.parametrize(("a", "radius"), [(1.0, 0.5), (0.5, 1 / 9)])
def test_roots_that_pass_through_each_other_do_not_end_the_series(a, radius):
    assert convergence_radius(discrete.TwoStep(1.0, 0.5, a)) == pytest.approx(radius, rel=1e-9)


def test_a_threshold_is_where_the_polynomial_leaves_not_where_it_touches():
    chebyshev = (((), (Fraction(1, 8),)), (0, 1))
    assert discrete.RungeKutta(0.5, chebyshev).stability_threshold() == pytest.approx(16, rel=1e-6)


def test_weights_as_decimals_may_miss_one_by_their_rounding():
    a, b = 0.1234567890123, 0.31415926535897
    tableau = (((), (0.5,), (0, np.float32(0.5))), (a, b, 1 - a - b))
    assert sum(discrete.RungeKutta(0.1, tableau).weights) == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: discrete.TwoStep(0.1, 0.5, None), "`look_ahead` must be a finite number"),
        (lambda: discrete.TwoStep(0.1, 0.5, np.nan), "`look_ahead` must be a finite number"),
        (lambda: discrete.RungeKutta(0.1, (((), (np.inf,)), (0, 1))), "`tableau` must hold finite numbers"),
        (lambda: jax.jit(lambda b: flows.ModifiedFlow(discrete.HeavyBall(0.1, b)).weights)(0.5), "outside of jit"),
        (lambda: series("heavy-ball", 4, "1e-99999999"), "got '1e-99999999'"),
        (lambda: series("gradient-descent", 400), "too many trees"),
    ],
)
def test_what_cannot_be_is_one_value_error(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_iterates_keep_the_dtype_of_the_params_and_ask_the_method_for_its_state():
    rate = jnp.asarray(0.1, jnp.float64)
    flow = flows.IterateFlow(discrete.GradientDescent(rate), order=3)
    assert flow.vector_field(lambda x: jnp.sum(x**2), 0.0, jnp.ones(2, jnp.float32)).dtype == jnp.float32
    labelled = optax.multi_transform({"a": optax.sgd(0.1), "b": optax.sgd(0.2)}, {"x": "a", "y": "b"})
    two_rates = flows.IterateFlow(discrete.from_optax(labelled, 0.1), order=2)
    start = {"x": jnp.ones(2), "y": jnp.ones(1)}
    with pytest.raises(ValueError, match="without state"):
        flows.IterateFlow(discrete.from_optax(optax.adam(0.1), 0.1)).init(TOY.loss, flows.Start(TOY.params))
    assert jax.tree.structure(two_rates.init(lambda p: jnp.sum(p["x"]), flows.Start(start))) == jax.tree.structure(
        start
    )
