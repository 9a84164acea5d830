"""Modified fields written out by sympy: against print, and against the numeric field."""

from fractions import Fraction

import jax.numpy as jnp
import pytest
import sympy

import discrete
import flows
from flows.modified import coefficients, scheme_of
from flows.modified.scheme import heavy_ball_scheme, nesterov_scheme, symbolic_momentum
from flows.modified.written_out import SYSTEMS, modified_field, system

DESCENT = heavy_ball_scheme(Fraction(0))


def test_explicit_euler_on_lotka_volterra_is_the_printed_equation():
    """Hairer, Lubich and Wanner 2006, p. 340."""
    field, (q, p) = system("lotka-volterra")
    first, second = modified_field(field, [q, p], coefficients(DESCENT, 2))
    assert first == [q * (p - 1), -p * (q - 2)]
    printed = [-q * (p**2 - p * q + 1) / 2, -p * (q**2 - p * q - 3 * q + 4) / 2]
    assert [sympy.expand(ours - theirs) for ours, theirs in zip(second, printed, strict=True)] == [0, 0]


def test_explicit_euler_on_a_square_is_the_printed_series():
    """y' = y^2: y' = y^2 - h y^3 + h^2 3/2 y^4 - h^3 8/3 y^5 (Hairer, Lubich and Wanner 2006, example IX.1.1)."""
    y = sympy.Symbol("y")
    orders = modified_field([y**2], [y], coefficients(DESCENT, 4))
    assert orders == [[y**2], [-(y**3)], [3 * y**4 / 2], [-8 * y**5 / 3]]


LOSSES = {
    "double-well": (lambda x: (x[0] ** 2 - 1) ** 2 / 4, [0.3]),
    "two-layer": (lambda x: (x[0] * x[1] - 1) ** 2 / 2, [0.7, -0.4]),
}
METHODS = {
    "gradient descent": discrete.GradientDescent(0.1),
    "heavy ball": discrete.HeavyBall(0.02, 0.5),
    "nesterov": discrete.Nesterov(0.02, 0.5),
}


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
@pytest.mark.parametrize("name", LOSSES)
def test_the_written_field_is_the_numeric_one_at_order_4(name, method):
    loss, point = LOSSES[name]
    field, variables = system(name)
    orders = modified_field(field, variables, coefficients(scheme_of(method), 4))
    values = dict(zip(variables, point, strict=True))
    expected = [
        sum(method.learning_rate**k * float(order[i].subs(values)) for k, order in enumerate(orders))
        for i in range(len(point))
    ]
    found = flows.ModifiedFlow(method, order=4).vector_field(loss, 0.0, jnp.array(point))
    assert found.tolist() == pytest.approx(expected, rel=1e-12)
    assert abs(float(orders[3][0].subs(values))) > 1e-2


def test_a_symbolic_momentum_stays_in_the_field():
    x, b = sympy.symbols("x beta")
    (first,), (second,) = modified_field([-x], [x], coefficients(nesterov_scheme(symbolic_momentum()), 2))
    assert sympy.simplify(first + x / (1 - b)) == 0
    assert sympy.simplify(second + (2 * b**2 - b + 1) / (2 * (1 - b) ** 3) * x) == 0


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_named_system_has_a_component_for_every_variable(name):
    field, variables = system(name)
    assert len(field) == len(variables)
    assert all(set(variables) & part.free_symbols for part in field)


def test_a_system_that_is_not_there_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match="`problem` 'lotka' is unknown; did you mean lotka-volterra"):
        system("lotka")
