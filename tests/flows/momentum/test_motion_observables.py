"""Instruments of motion: exact on a method and on a flow, alone and side by side, and refused where nothing moves."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import comparisons
import discrete
import flows
import landscapes
from landscapes import MotionObservable

TOY = landscapes.two_valleys()
METHOD = discrete.HeavyBall(0.04, 0.7)
STEPS = 40


class Kinetic(MotionObservable):
    """|X'|^2 of a flow and |x_{n+1} - x_n|^2 of a method, with the time and the step at which they were taken."""

    def of_flow(self, time: Any, params: Any, velocity: Any):
        return {"value": velocity @ velocity, "when": time}

    def of_method(self, step: Any, params: Any, following: Any):
        return {"value": (following - params) @ (following - params), "when": step}


OBSERVE = {"kinetic": Kinetic()}


def method_run(method: discrete.Method, every: int = 1) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Observations and params."""
    run = discrete.run(method, TOY.loss, TOY.params, steps=STEPS, every=every, observe=OBSERVE, keep_params=True)
    return run.observations, np.asarray(run.params)


@pytest.mark.parametrize("method", [METHOD, discrete.nesterov_convex(0.04)], ids=["constant", "scheduled"])
def test_on_a_method_it_sees_the_step_to_come(method):
    observed, params = method_run(method)
    jumps = np.sum(np.diff(params, axis=0) ** 2, axis=1)
    np.testing.assert_allclose(observed["kinetic"][:-1], jumps, rtol=1e-12)
    np.testing.assert_array_equal(observed["kinetic_when"], np.arange(STEPS + 1))


def test_looking_ahead_leaves_the_run_and_its_other_samples_as_they_are():
    (every, params), (eighth, sampled) = method_run(METHOD), method_run(METHOD, 8)
    np.testing.assert_allclose(eighth["kinetic"], every["kinetic"][::8], rtol=1e-12)
    np.testing.assert_allclose(sampled, params[::8], rtol=1e-14)
    alone = discrete.run(METHOD, TOY.loss, TOY.params, steps=STEPS)
    np.testing.assert_allclose(alone.final_params, params[-1], rtol=1e-14)


def flow_path(flow):
    return flows.solve(flow, TOY.loss, TOY.params, steps=STEPS, every=8, observe=OBSERVE, keep_params=True)


def test_on_a_first_order_flow_it_sees_the_field():
    solution = flow_path(flows.GradientFlow(METHOD))
    field = -jax.vmap(jax.grad(TOY.loss))(solution.params) / 0.3
    np.testing.assert_allclose(solution.observations["kinetic"], np.sum(np.asarray(field) ** 2, axis=1), rtol=1e-12)
    np.testing.assert_allclose(solution.observations["kinetic_when"], solution.times, rtol=1e-14)


def test_on_a_second_order_flow_it_sees_the_derivative_of_the_params_whatever_its_form_carries():
    """In the form "gradient" the state is V = X' + sqrt(h) grad L(X), from X' = -(3/2) sqrt(h) grad L(x_0)."""
    flow = flows.HighResolution(discrete.NesterovLookAhead(0.04, 0.7))
    solution = flow_path(flow)
    first, last = (0.2 * jax.grad(TOY.loss)(params) for params in (TOY.params, solution.final_params))
    expected = [jnp.sum((1.5 * first) ** 2), jnp.sum((solution.final_state.velocity - last) ** 2)]
    np.testing.assert_allclose(solution.observations["kinetic"][[0, -1]], expected, rtol=1e-12)


def test_side_by_side_each_is_measured_as_it_is_alone():
    flow = flows.KovachkiStuart(METHOD)
    found = comparisons.compare(METHOD, {"flow": flow}, TOY, steps=STEPS, every=8, observe=OBSERVE)
    alone, _ = method_run(METHOD, 8)
    np.testing.assert_allclose(found.discrete.observations["kinetic"], alone["kinetic"], rtol=1e-12)
    expected = flow_path(flow).observations["kinetic"]
    np.testing.assert_allclose(found.flows["flow"].observations["kinetic"], expected, rtol=1e-9)


def test_an_energy_means_the_same_along_flows_with_another_clock():
    """Kovachki and Stuart's inertia is in the time n h; Polyak's flow runs in n sqrt(h)."""
    method = discrete.HeavyBall(0.04, 0.8)
    own, other = flows.KovachkiStuart(method), flows.Polyak(method)
    energy = own.energy(TOY.loss)
    run = comparisons.compare(
        method, {"own": own, "other": other}, TOY, steps=STEPS, observe={"energy": energy}, keep_params=True
    )
    solved = run.flows["other"]
    state = solved.final_state
    per_unit_of_h = jax.tree.map(lambda v: v * 0.2 / 0.04, state.velocity)
    expected = TOY.loss(state.position) + energy.inertia / 2 * jnp.sum(per_unit_of_h**2)
    assert float(solved.observations["energy"][-1]) == pytest.approx(float(expected), rel=1e-9)
