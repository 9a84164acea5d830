"""Wrong equations lose the order that the right ones have: the measurement can tell."""

import functools
from typing import Any, ClassVar

import equinox as eqx
import jax
import numpy as np
import pytest

import comparisons
import discrete
import flows
import landscapes
from flows import Flow

TOY = landscapes.two_valleys()
ROOTS = [(2 / steps) ** 2 for steps in (40, 60, 100, 200)]
RATES = [float(h) for h in np.geomspace(0.1, 0.03, 4) * 0.16 / 12]


class StartedLate(flows.HighResolutionConvex):
    """Half a step further on in its own time than the method."""

    @property
    def head_start(self):
        return super().head_start + self.time_per_step / 2


def started_late(method: Any) -> Flow:
    return StartedLate(method)


@pytest.mark.parametrize("make", [discrete.nesterov_convex, discrete.nesterov_convex_look_ahead])
@pytest.mark.slow
def test_half_a_step_of_head_start_costs_the_convex_equation_its_second_order(make):
    found = comparisons.measure_order(
        make,
        started_late,
        TOY.loss,
        TOY.params,
        learning_rates=ROOTS,
        duration=2.0,
        start="rest",
    )
    assert found.claimed == 2 and found.verdict == "fails"
    assert found.slope == pytest.approx(1, abs=0.2)


class WrongTerm(flows.HighResolutionConvex):
    """With the coefficient of T[X', X'] of the other points of the run, or 8/12 for 7/12 before H grad L."""

    wrong: str = eqx.field(static=True)

    def __init__(self, method: Any, wrong: str):
        super().__init__(method, order=3)
        self.wrong = wrong

    def _next_terms(self, loss, t, position, velocity):
        right = super()._next_terms(loss, t, position, velocity)
        gradient, hessian = jax.grad(loss), jax.hessian(loss)
        if self.wrong == "bend":
            sign = 1 if self._looks_ahead else -1
            _, bent = jax.jvp(lambda x: hessian(x) @ velocity, (position,), (velocity,))
            return right + sign * self.method.learning_rate * bent
        return right + self.method.learning_rate / 12 * hessian(position) @ gradient(position)


@pytest.mark.parametrize("make", [discrete.nesterov_convex, discrete.nesterov_convex_look_ahead])
@pytest.mark.parametrize("term", ["bend", "pull"])
@pytest.mark.slow
def test_another_coefficient_costs_the_convex_equation_its_third_order(make, term):
    found = comparisons.measure_order(
        make,
        functools.partial(WrongTerm, wrong=term),
        TOY.loss,
        TOY.params,
        learning_rates=ROOTS,
        duration=2.0,
        start="rest",
        after=1.0,
    )
    assert found.claimed == 3 and found.verdict == "fails"
    assert found.slope < 2.2


class Penalized(flows.ODEFlow):
    """dX/dt = -lb grad(L + (h/2) lb (lb - a + half) |grad L|^2) for heavy ball, a = 0 and lb = 1/(1 - b)."""

    method: discrete.HeavyBall
    half: float
    order: ClassVar[int] = 2

    @property
    def field_cost(self):
        return flows.FieldCost(gradients=2)

    def vector_field(self, loss, t, state):
        lb = 1 / (1 - self.method.momentum)
        weight = self.method.learning_rate / 2 * lb * (lb + self.half)
        return -lb * jax.grad(lambda x: loss(x) + weight * jax.grad(loss)(x) @ jax.grad(loss)(x))(state)


def heavy_ball(h: float) -> discrete.HeavyBall:
    return discrete.HeavyBall(h, 0.5)


def order_of(make_flow, make_method=heavy_ball, **start) -> comparisons.Order:
    return comparisons.measure_order(
        make_method, make_flow, TOY.loss, TOY.params, learning_rates=RATES, duration=0.5, **start
    )


@pytest.mark.parametrize(("half", "order"), [(-0.5, 2), (0.5, 1)])
def test_the_half_in_the_potential_of_kovachki_and_stuart_is_subtracted(half, order):
    assert order_of(lambda method: Penalized(method, half)).slope == pytest.approx(order, abs=0.15)


FROM_REST = {"start": "rest", "after": 0.25}


@pytest.mark.parametrize("make", [heavy_ball, lambda h: discrete.Nesterov(h, 0.6)], ids=["heavy ball", "Nesterov"])
@pytest.mark.parametrize("start", ["params", "rest"])
@pytest.mark.slow
def test_the_flow_on_the_invariant_manifold_has_order_two_on_it_and_from_rest_once_attracted(make, start):
    flow = functools.partial(flows.InvariantManifold, start=start)
    found = order_of(flow, make, **(FROM_REST if start == "rest" else {}))
    assert found.claimed == 2 and found.holds, str(found)


def test_from_rest_the_flow_on_the_manifold_has_to_start_elsewhere_than_the_method():
    assert order_of(flows.InvariantManifold, **FROM_REST).slope == pytest.approx(1, abs=0.15)
