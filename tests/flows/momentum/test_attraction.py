"""Momentum attracts its velocity to the invariant manifold: by b with each step, down to what that leaves out."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import discrete
import flows
import landscapes

TOY = landscapes.two_valleys()
B, DURATION = 0.7, 0.25
STEPS = [256, 512, 1024]


@functools.cache
def deviations(steps: int) -> np.ndarray:
    """Of heavy ball from rest, at every step up to a fixed time."""
    method = discrete.HeavyBall(DURATION / steps, B)
    observe = {"deviation": flows.InvariantManifold(method).deviation(TOY.loss)}
    return discrete.run(method, TOY.loss, TOY.params, steps=steps, observe=observe).observations["deviation"]


def test_the_deviation_shrinks_by_the_momentum_with_each_step():
    found = deviations(STEPS[-1])[:15]
    rate, _ = np.polyfit(np.arange(15), np.log(found), 1)
    assert rate == pytest.approx(np.log(B), rel=0.02)


def test_the_deviation_starts_as_the_share_of_the_velocity_that_is_missing():
    """v_1 = -grad L(x_0) where the manifold has -grad L/(1 - b)."""
    slope = np.linalg.norm(jax.grad(TOY.loss)(TOY.params))
    assert deviations(STEPS[-1])[0] == pytest.approx(B / (1 - B) * slope, rel=0.02)


def test_the_deviation_ends_on_a_floor_of_second_order():
    floors = np.array([deviations(steps)[-1] for steps in STEPS])
    slope, _ = np.polyfit(np.log(1 / np.array(STEPS)), np.log(floors), 1)
    assert slope == pytest.approx(2, abs=0.15)
    assert floors[0] < 1e-3 * deviations(STEPS[0])[0]


@pytest.mark.parametrize(
    "make", [discrete.Nesterov, functools.partial(discrete.TwoStep, look_ahead=0.3)], ids=["Nesterov", "two-step"]
)
def test_other_two_step_methods_are_attracted_to_manifolds_of_their_own(make):
    """The look-ahead moves the manifold by h a H grad L/(1 - b); heavy ball's would be missed by O(h)."""
    h = DURATION / STEPS[-1]
    method = make(h, momentum=B)
    own, balls = (flows.InvariantManifold(m) for m in (method, discrete.HeavyBall(h, B)))
    observe = {"own": own.deviation(TOY.loss), "balls": balls.deviation(TOY.loss)}
    found = discrete.run(method, TOY.loss, TOY.params, steps=STEPS[-1], observe=observe).observations
    assert found["own"][-1] < 1e-3 * found["own"][0]
    assert found["own"][-1] < 0.2 * found["balls"][-1]


def test_the_flow_on_the_manifold_deviates_by_the_second_order_that_it_leaves_out():
    def deviation(steps: int) -> float:
        flow = flows.InvariantManifold(discrete.HeavyBall(DURATION / steps, B))
        velocity = flow.vector_field(TOY.loss, 0.0, TOY.params)
        return float(flow.deviation(TOY.loss).of_flow(jnp.asarray(0.0), TOY.params, velocity))

    coarse, fine = deviation(STEPS[0]), deviation(STEPS[1])
    assert np.log2(coarse / fine) == pytest.approx(2, abs=0.1)
