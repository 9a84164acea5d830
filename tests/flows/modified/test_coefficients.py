"""Exact coefficients: published ones, the quadratic's own series, kauri's, and the methods' steps in exact numbers."""

from fractions import Fraction
from math import factorial

import kauri
import numpy as np
import optax
import pytest
import sympy
from sympy import QQ, ring

import discrete
from discrete.descent.tableaux import EULER, HEUN, KUTTA_3, KUTTA_4, MIDPOINT
from discrete.traits import Recursion
from flows.modified import coefficients, scheme_of
from flows.modified.coefficients import expanded, first_order_left_out
from flows.modified.display import nested_list
from flows.modified.method_scheme import recursion_scheme
from flows.modified.scheme import (
    SYMBOL,
    heavy_ball_scheme,
    look_ahead_scheme,
    nesterov_scheme,
    one_step_scheme,
    rational,
    symbolic_momentum,
    unit,
)
from flows.modified.trees import LEAF, order, symmetry, trees_of_order, trees_up_to
from flows.modified.written_out import modified_field

CHAIN, CHERRY = (LEAF,), (LEAF, LEAF)
DESCENT = heavy_ball_scheme(Fraction(0))
B = Fraction(1, 3)


def test_gradient_descent_has_the_published_coefficients():
    """Hairer, Lubich and Wanner 2006, example IX.1.1, in higher dimension."""
    assert coefficients(DESCENT, 4) == {
        LEAF: 1,
        CHAIN: Fraction(-1, 2),
        CHERRY: Fraction(1, 12),
        (CHAIN,): Fraction(1, 3),
        (LEAF, LEAF, LEAF): 0,
        (LEAF, CHAIN): Fraction(-1, 12),
        (CHERRY,): Fraction(-1, 12),
        ((CHAIN,),): Fraction(-1, 4),
    }


def test_heavy_ball_has_its_closed_forms_in_the_momentum():
    b = symbolic_momentum()
    assert coefficients(heavy_ball_scheme(b), 3) == {
        LEAF: 1 / (1 - b),
        CHAIN: -(1 + b) / (2 * (1 - b) ** 3),
        CHERRY: (b**2 + 10 * b + 1) / (12 * (1 - b) ** 5),
        (CHAIN,): (b**2 + 4 * b + 1) / (3 * (1 - b) ** 5),
    }


def test_nesterov_has_its_closed_forms_in_the_momentum():
    b = symbolic_momentum()
    assert coefficients(nesterov_scheme(b), 3) == {
        LEAF: 1 / (1 - b),
        CHAIN: -(2 * b**2 - b + 1) / (2 * (1 - b) ** 3),
        CHERRY: (6 * b**4 - 6 * b**3 + 7 * b**2 + 4 * b + 1) / (12 * (1 - b) ** 5),
        (CHAIN,): (3 * b**4 - 3 * b**3 + 7 * b**2 - 2 * b + 1) / (3 * (1 - b) ** 5),
    }


@pytest.mark.parametrize("make", [heavy_ball_scheme, nesterov_scheme, look_ahead_scheme])
def test_the_symbol_at_nine_tenths_gives_the_fractions(make):
    exact = coefficients(make(Fraction(9, 10)), 5)
    for tree, value in coefficients(make(symbolic_momentum()), 5).items():
        number = value.as_expr().subs(sympy.Symbol(SYMBOL), sympy.Rational(9, 10))
        assert Fraction(str(number)) == exact[tree]


def test_no_float_gets_into_exact_coefficients():
    """The 1 that is divided by factorials is a rational function, not a whole number."""
    for number in (symbolic_momentum(), B):
        assert type(unit(number)) is type(unit(number) / 6) is type(number)
        assert unit(number) == 1


def log_of_slow_root(b: Fraction, a: Fraction, highest: int) -> list[Fraction]:
    """Taylor coefficients in z of log r, r^2 - (1 + b - (1 + a) z) r + b - a z = 0 and r(0) = 1."""
    root, log = [Fraction(1)], [Fraction(0)]
    for k in range(1, highest + 1):
        inner = sum(root[i] * root[k - i] for i in range(1, k))
        root.append((a * (k == 1) - (1 + a) * root[k - 1] - inner) / (1 - b))
        log.append(root[k] - sum(Fraction(i, k) * log[i] * root[k - i] for i in range(1, k)))
    return log[1:]


TALL = {
    "gradient descent": (DESCENT, (Fraction(0), Fraction(0)), 12),
    "heavy ball": (heavy_ball_scheme(B), (B, Fraction(0)), 12),
    "nesterov": (nesterov_scheme(B), (B, B), 10),
    "look-ahead points": (look_ahead_scheme(B), (B, B), 10),
}


@pytest.mark.parametrize(("scheme", "root", "highest"), TALL.values(), ids=TALL)
def test_tall_trees_carry_the_logarithm_of_the_slow_root_to_high_order(scheme, root, highest):
    known, tree = coefficients(scheme, highest), LEAF
    for k, expected in enumerate(log_of_slow_root(*root, highest), start=1):
        assert known[tree] == (-1) ** k * expected
        tree = (tree,)


def test_the_reference_series_is_the_logarithm_where_that_is_known():
    assert log_of_slow_root(Fraction(0), Fraction(0), 12) == [Fraction(-1, k) for k in range(1, 13)]


@pytest.mark.parametrize(("theirs", "ours"), [(kauri.euler, DESCENT), (kauri.rk4, one_step_scheme(KUTTA_4))])
def test_kauri_agrees_to_order_6(theirs, ours):
    """Its coefficients stand in front of F(tree) / symmetry(tree)."""
    reference = theirs.modified_equation_map()
    known = coefficients(ours, 6)
    assert list(known) == list(trees_up_to(6))
    trees = {tree: kauri.Tree(nested_list(tree)) for tree in known}
    expected = [reference(theirs) / theirs.sigma() for theirs in trees.values()]
    np.testing.assert_allclose([float(c) for c in known.values()], expected, rtol=0, atol=1e-14)


ORDERS = {"euler": (EULER, 1), "midpoint": (MIDPOINT, 2), "heun": (HEUN, 2), "3": (KUTTA_3, 3), "4": (KUTTA_4, 4)}


@pytest.mark.parametrize(("tableau", "reached"), ORDERS.values(), ids=ORDERS)
def test_a_runge_kutta_method_of_order_p_has_only_zeros_up_to_order_p(tableau, reached):
    scheme = one_step_scheme(tableau)
    known = coefficients(scheme, 6)
    assert known[LEAF] == 1
    assert [n for n in range(2, 7) if not any(known[tree] for tree in trees_of_order(n))] == list(range(2, reached + 1))
    assert first_order_left_out(scheme, 1) == reached + 1


def test_euler_as_a_runge_kutta_step_is_gradient_descent():
    assert coefficients(one_step_scheme(EULER), 8) == coefficients(DESCENT, 8)


HIGHEST = 4
RING, X, Y, H = ring("x, y, h", QQ)
FIELD = (X**3 + 2 * X * Y - Y**2 + 1, X**2 * Y - 3 * X + Y**3 - 2)  # all derivatives up to the third


def truncated(element):
    return RING.from_dict({powers: c for powers, c in element.items() if powers[2] <= HIGHEST})


def at(point):
    """The field at a point that is a polynomial in x, y and h."""
    return [truncated(f.compose([(X, point[0]), (Y, point[1])])) for f in FIELD]


def moved(point, *changes):
    """point + sum of weight * vector"""
    return [truncated(p + sum(QQ(*w.as_integer_ratio()) * v[i] for w, v in changes)) for i, p in enumerate(point)]


def flowed(velocity, time):
    """X(time) of the field h F = velocity, as a Lie series, in units of h."""
    point, rising = [X, Y], velocity
    for j in range(1, HIGHEST + 1):
        point = moved(point, (Fraction(time**j, factorial(j)), rising))
        rising = [truncated(velocity[0] * r.diff(X) + velocity[1] * r.diff(Y)) for r in rising]
    return point


def velocity_of(scheme):
    symbols = sympy.symbols("x y")
    orders = modified_field([f.as_expr() for f in FIELD], symbols, coefficients(scheme, HIGHEST))
    return [sum(RING.from_expr(part[i]) * H ** (k + 1) for k, part in enumerate(orders)) for i in range(2)]


TWO_STEP = {
    "gradient descent": (DESCENT, Fraction(0), [(1, 0)]),
    "heavy ball": (heavy_ball_scheme(B), B, [(1, 0)]),
    "nesterov": (nesterov_scheme(B), B, [(1, B)]),
    "look-ahead points": (look_ahead_scheme(B), B, [(1 + B, 0), (-B, -1)]),
    "quasi-hyperbolic": (
        recursion_scheme(Recursion(B, weight=Fraction(1, 2), direct=Fraction(1, 3))),
        B,
        [(Fraction(5, 6), 0), (-B / 3, -1)],
    ),
    "any other": (scheme_of(discrete.TwoStep(0.1, 0.25, 0.5)), Fraction(1, 4), [(1, Fraction(1, 2))]),
}


@pytest.mark.parametrize(("scheme", "b", "evaluations"), TWO_STEP.values(), ids=TWO_STEP)
def test_the_modified_field_of_a_polynomial_takes_two_steps_of_the_method(scheme, b, evaluations):
    """X(h) - (1 + b) X(0) + b X(-h) = h sum w f(X(0) + a (X(0) - X(-h))) up to O(h^5), in exact arithmetic."""
    velocity = velocity_of(scheme)
    now, before, after = [X, Y], flowed(velocity, -1), flowed(velocity, 1)
    gap = moved(after, (-(1 + b), now), (b, before))
    for weight, ahead in evaluations:
        force = at(moved(now, (ahead, now), (-ahead, before)))
        gap = moved(gap, (-weight, [H * f for f in force]))
    assert gap == [0, 0]
    assert velocity[0].degree(H) == HIGHEST


@pytest.mark.parametrize("tableau", [MIDPOINT, HEUN, KUTTA_3, KUTTA_4], ids=["midpoint", "heun", "kutta 3", "kutta 4"])
def test_the_modified_field_of_a_polynomial_takes_one_runge_kutta_step(tableau):
    slopes = []
    for row in tableau[0]:
        slopes.append([H * f for f in at(moved([X, Y], *zip(row, slopes, strict=True)))])
    step = moved([X, Y], *zip(tableau[1], slopes, strict=True))
    assert flowed(velocity_of(one_step_scheme(tableau)), 1) == step


def test_the_step_back_is_the_flow_to_time_minus_one():
    scheme = heavy_ball_scheme(B)
    symbols = sympy.symbols("x y")
    by_tree = {tree: value / symmetry(tree) for tree, value in expanded(scheme, HIGHEST)[1].items()}
    back = modified_field([f.as_expr() for f in FIELD], symbols, by_tree)
    parts = [sum(RING.from_expr(part[i]) * H ** (k + 1) for k, part in enumerate(back)) for i in range(2)]
    assert [X + parts[0], Y + parts[1]] == flowed(velocity_of(scheme), -1)


def test_a_float_is_the_decimal_number_that_is_written():
    assert (rational(0.9), rational(np.float64(0.1)), rational(B)) == (Fraction(9, 10), Fraction(1, 10), B)
    assert scheme_of(discrete.HeavyBall(0.1, 0.9)) == heavy_ball_scheme(Fraction(9, 10))
    assert scheme_of(discrete.GradientDescent(0.1)) == heavy_ball_scheme(Fraction(0))


def test_every_lower_order_is_the_beginning_of_a_higher_one():
    whole = coefficients(nesterov_scheme(B), 6)
    assert coefficients(nesterov_scheme(B), 4) == {tree: c for tree, c in whole.items() if order(tree) <= 4}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (0, "`order` must be a whole number from 1 to 12, got 0"),
        (13, "`order` must be at most 12, got 13: there are 12,486 trees of order 13"),
        (10**6, "there are too many trees"),
    ],
)
def test_an_order_out_of_range_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        coefficients(DESCENT, wrong)


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (discrete.HeavyBall(0.1, lambda n: 0.5), "HeavyBall has a schedule"),
        (discrete.from_optax(optax.adam(0.1), 0.1), "not for OptaxMethod"),
        (discrete.from_optax(optax.adam(0.1)), "needs the method's learning rate"),
    ],
)
def test_a_method_without_modified_equation_is_refused(method, message):
    with pytest.raises(ValueError, match=message):
        scheme_of(method)
