"""Where the modified flow of a momentum method at rest has to start: closed forms, exact checks, measured orders."""

import functools
from fractions import Fraction

import diffrax
import numpy as np
import pytest

import comparisons
import discrete
import flows
import landscapes
from discrete.descent.tableaux import KUTTA_4
from flows.modified import rest_coefficients
from flows.modified.scheme import (
    heavy_ball_scheme,
    look_ahead_scheme,
    nesterov_scheme,
    one_step_scheme,
    symbolic_momentum,
)
from flows.modified.trees import LEAF

CHAIN = (LEAF,)
TOY = landscapes.two_valleys()
DOPRI8 = flows.Integrator(diffrax.Dopri8(), diffrax.PIDController(1e-12, 1e-15))


def test_the_first_two_of_heavy_ball_are_closed_forms_in_the_momentum():
    b = symbolic_momentum()
    expected = {LEAF: -b / (1 - b) ** 2, CHAIN: b * (b + 2) / (1 - b) ** 4}
    assert rest_coefficients(heavy_ball_scheme(b), 2) == expected


def test_the_first_two_of_nesterov_are_closed_forms_in_the_momentum():
    b = symbolic_momentum()
    expected = {LEAF: -b / (1 - b) ** 2, CHAIN: b * (b**2 + b + 1) / (1 - b) ** 4}
    assert rest_coefficients(nesterov_scheme(b), 2) == expected


def test_without_momentum_there_is_no_transient():
    assert rest_coefficients(heavy_ball_scheme(Fraction(0)), 3) == {}
    assert rest_coefficients(one_step_scheme(KUTTA_4), 3) == {}


@pytest.mark.parametrize("make", [heavy_ball_scheme, nesterov_scheme, look_ahead_scheme])
def test_on_a_quadratic_they_are_the_slow_part_of_the_iterates(make):
    """x' = -z x: the tall trees' series up to z^6 is the part of x_0 = 1 that moves with the slow root."""
    scheme, b, z = make(Fraction(1, 2)), 0.5, 0.004
    now = 1 + b - z * float(sum(w * (1 + a) for w, a in scheme.evaluations))
    before = b - z * float(sum(w * a for w, a in scheme.evaluations))
    fast, slow = np.sort(np.roots([1, -now, before]))
    # At rest look-ahead points come from the x_{-1} with x_{-1} - z x_{-1} = x_0, the others from x_{-1} = x_0.
    previous = 1 / (1 - z) if make is look_ahead_scheme else 1.0
    expected = (previous - 1 / fast) / (1 / slow - 1 / fast)
    known, found, tree = rest_coefficients(scheme, 6), 1.0, LEAF
    for k in range(1, 7):
        found += float(known[tree]) * (-z) ** k
        tree = (tree,)
    assert found == pytest.approx(expected, abs=1e-10)
    assert abs(expected - 1) > 1e-3


def late_orders(make_method, make_flow) -> np.ndarray:
    """log2 of the ratios of the largest late distance, from 200 to 400 and from 400 to 800 steps over duration 1."""
    gaps = []
    for steps in (200, 400, 800):
        method = make_method(1 / steps)
        run = comparisons.compare(
            method, {"flow": make_flow(method)}, TOY.loss, TOY.params, steps=steps, every=steps // 20, integrator=DOPRI8
        )
        gaps.append(run.divergence["flow"].distance[run.steps >= steps // 2].max())
    return np.log2(np.array(gaps[:-1]) / gaps[1:])


@pytest.mark.parametrize("method", [discrete.HeavyBall, discrete.Nesterov])
@pytest.mark.parametrize("order", [2, 3])
def test_from_rest_the_order_holds_once_the_transient_has_died(method, order):
    make_flow = functools.partial(flows.ModifiedFlow, order=order, start="rest")
    np.testing.assert_allclose(late_orders(lambda h: method(h, 0.5), make_flow), order, atol=0.15)


@pytest.mark.parametrize("method", [discrete.HeavyBall, discrete.Nesterov])
def test_started_at_the_params_itself_a_flow_of_order_3_is_left_with_order_1(method):
    make_flow = functools.partial(flows.ModifiedFlow, order=3)
    np.testing.assert_allclose(late_orders(lambda h: method(h, 0.5), make_flow), 1, atol=0.15)


def test_the_start_is_moved_by_the_learning_rate_times_the_first_coefficient():
    """-h b/(1 - b)^2 f with b = 1/2: two gradient steps forth, uphill."""
    flow = flows.ModifiedFlow(discrete.HeavyBall(0.1, 0.5), order=2, start="rest")
    start = flow.init(lambda x: x @ x / 2, flows.Start(np.array([1.0, -2.0])))
    np.testing.assert_allclose(start, [1.2, -2.4], rtol=1e-15)
