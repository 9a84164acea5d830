"""Flows by name, and the state on the slow manifold from which orders of momentum methods are measured."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from flow_cases import FLOWS, STEPPED

import discrete
import flows
from flows.catalogue import FLOWS as DESCRIPTIONS, SINGLE, flow_named
from flows.running.slow_manifold import slow_manifold_state

METHOD, GD = discrete.HeavyBall(0.01, 0.5), discrete.GradientDescent(0.01)


def test_names_build_the_flows_of_the_method():
    assert flow_named("gradient", METHOD) == flows.GradientFlow(METHOD)
    assert eqx.tree_equal(flow_named("modified-4", METHOD), flows.ModifiedFlow(METHOD, order=4))
    assert eqx.tree_equal(flow_named("modified-3-rest", METHOD), flows.ModifiedFlow(METHOD, order=3, start="rest"))
    assert eqx.tree_equal(flow_named("modified-optimal", METHOD), flows.ModifiedFlow(METHOD, order="optimal"))
    assert eqx.tree_equal(flow_named("edge-3", GD), flows.EdgeFlow(GD, order=3))
    assert flow_named("iterates-3", GD) == flows.IterateFlow(GD, order=3)


@pytest.mark.parametrize(("name", "cls"), SINGLE.items(), ids=SINGLE)
def test_a_name_without_a_number_builds_its_flow_as_it_is(name, cls):
    covered = getattr(cls, "func", cls)
    method = next(case for case in (FLOWS | STEPPED).values() if case.covers is covered).method(0.01)
    assert eqx.tree_equal(flow_named(name, method), cls(method))


def test_every_name_that_can_be_asked_for_is_described():
    assert set(SINGLE) == {name for name in DESCRIPTIONS if not name.startswith(("modified-", "iterates-", "edge-"))}


@pytest.mark.parametrize(
    ("name", "message"),
    [("gradent", "gradient"), ("modified", "modified-2"), ("modified-0", "from 1 to 8, got 0")],
)
def test_an_unknown_name_is_answered_with_the_nearest(name, message):
    with pytest.raises(ValueError, match=message):
        flow_named(name, METHOD)


def velocity_error(flow, h, b=0.5) -> float:
    """Heavy ball on x^2/2: x_n = mu^n x_0 with mu^2 - (1 + b - h) mu + b = 0, so the velocity is (1 - 1/mu) x_0."""
    middle = 1 + b - h
    slow = (middle + np.sqrt(middle**2 - 4 * b)) / 2
    velocity = slow_manifold_state(flow(discrete.HeavyBall(h, b)), half_square, jnp.ones(1))
    return abs(float(velocity[0]) - (1 - 1 / slow))


def half_square(x):
    return 0.5 * x @ x


@pytest.mark.parametrize("flow", [flows.GradientFlow, flows.ModifiedFlow])
def test_a_flow_of_order_p_finds_the_slow_manifold_of_heavy_ball_to_order_p_plus_1(flow):
    coarse, fine = velocity_error(flow, 0.004), velocity_error(flow, 0.002)
    assert fine > 1e-12
    assert np.log2(coarse / fine) == pytest.approx(flow(METHOD).order + 1, abs=0.1)
