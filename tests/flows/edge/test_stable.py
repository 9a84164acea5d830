"""Stable flow: gradient flow, its preconditioned kin, and the central flow where nothing oscillates."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import discrete
import flows

START = jnp.array([0.5, -0.3])
CURVATURES = jnp.array([2.0, 0.5])


def loss(w):
    return 0.5 * w @ (CURVATURES * w)


METHODS = {
    "scalar": discrete.ScalarRMSProp(0.01, 0.9, bias_correction=True),
    "entrywise": discrete.RMSProp(0.01, 0.9, bias_correction=True),
    "without correction": discrete.RMSProp(0.01, 0.9, epsilon=1e-3),
}


def test_of_gradient_descent_it_is_gradient_flow():
    method = discrete.GradientDescent(0.1)
    run = flows.solve(flows.StableFlow(method), loss, START, steps=20)
    np.testing.assert_allclose(run.final_params, START * np.exp(-2.0 * CURVATURES), rtol=1e-7)


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.slow) for name in METHODS])
def test_below_the_edge_it_is_the_central_flow_with_the_same_preconditioner(name):
    method = METHODS[name]
    warm = discrete.run(method, loss, START, steps=5)
    central, stable = (make(method) for make in (flows.CentralFlow, flows.StableFlow))
    told = flows.solve(central, loss, warm.final_params, state=warm.final_state, steps=10, every=10)
    found = flows.solve(stable, loss, warm.final_params, state=warm.final_state, steps=10, every=10)
    assert told.predictions["critical"][-1] == 0
    scales = [
        np.asarray(flow.preconditioner(loss, run.final_state)) for flow, run in ((central, told), (stable, found))
    ]
    # What is left is the midpoint rule of the central flow.
    np.testing.assert_allclose(scales[1], scales[0], rtol=2e-4)
    np.testing.assert_allclose(found.final_params, told.final_params, rtol=2e-4)
    assert np.linalg.norm(found.final_params - warm.final_params) > 0.02


def test_its_memory_follows_a_gradient_that_stands_still():
    """nu/(1 - b^n) of a constant gradient is its square from the first step on, with bias correction."""
    method = discrete.ScalarRMSProp(0.01, 0.9, bias_correction=True)
    slope = lambda w: w @ jnp.array([3.0, 4.0])  # noqa: E731
    run = flows.solve(flows.StableFlow(method), slope, START, steps=30)
    np.testing.assert_allclose(run.final_params - START, -0.3 * jnp.array([3.0, 4.0]) / 5, rtol=1e-7)
    assert run.final_state.memory.decay == pytest.approx(0.9 * np.exp(-30 / 9), rel=1e-6)


def test_beyond_the_edge_it_goes_on_without_a_swing():
    """On a quadratic nothing holds the effective sharpness at 2/h: it grows as the gradient shrinks."""
    method = discrete.ScalarRMSProp(0.05, 0.5, bias_correction=True)
    warm = discrete.run(method, loss, START, steps=3)
    flow = flows.StableFlow(method)
    run = flows.solve(flow, loss, warm.final_params, state=warm.final_state, steps=20, keep_params=True)
    assert np.all(np.diff(np.linalg.norm(run.params, axis=1)) < 0)
    assert CURVATURES[0] / flow.preconditioner(loss, run.final_state) > 1.5 * method.effective_threshold


WRONG = {
    "momentum": (
        lambda: flows.StableFlow(discrete.HeavyBall(0.1, 0.9)),
        "describes GradientDescent, Scalar.*not Heavy",
    ),
    "a schedule": (lambda: flows.StableFlow(discrete.GradientDescent(lambda n: 0.1 / (n + 1))), "has a schedule"),
    "no average": (lambda: flows.StableFlow(discrete.RMSProp(0.1, 0.0)), "`beta2` must exceed 0"),
}


@pytest.mark.usefixtures("untyped")
@pytest.mark.parametrize(("make", "message"), WRONG.values(), ids=WRONG)
def test_misuse_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_second_solve_keeps_the_dtype():
    method = discrete.RMSProp(0.01, 0.9)
    run = flows.solve(flows.StableFlow(method), loss, START.astype(jnp.float32), steps=5)
    assert {leaf.dtype for leaf in jax.tree.leaves(run.final_state)} == {jnp.dtype("float32")}
