"""Edge flow of adaptive methods: from a state in the middle of a run, through the edge of stability."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import discrete
import flows
import landscapes
from discrete import Method
from flows.edge import Parities

EPSILON, BEND = 0.01, 0.3
START = jnp.array([0.02, 1.5])
TURN = jnp.array([[np.cos(0.5), -np.sin(0.5)], [np.sin(0.5), np.cos(0.5)]])


def valley(p):
    """f = (y + z x) x^2/2 - e (x + y): the curvature along x grows along the valley."""
    return (p[1] + BEND * p[0]) * p[0] ** 2 / 2 - EPSILON * (p[0] + p[1])


def turned(p):
    """The same across the axes, so that both preconditioners of RMSProp take part."""
    return valley(TURN @ p)


CASES = {
    "scalar": (discrete.ScalarRMSProp(0.01, 0.95, bias_correction=True), valley, START, 50),
    "entrywise": (discrete.RMSProp(0.005, 0.99, bias_correction=True), turned, TURN.T @ START, 20),
}
each_case = pytest.mark.parametrize("name", CASES)


@functools.cache
def warmed_up(name: str):
    """Where a run is just below its edge, its state there, and a small swing along the direction to oscillate."""
    method, loss, start, steps = CASES[name]
    run = discrete.run(method, loss, start, steps=steps, every=steps)
    sharpness = landscapes.EffectiveSharpness(loss)
    there = landscapes.Moment(
        run.final_params, preconditioner=lambda: method.preconditioner(run.final_params, run.final_state)
    )
    _, carry = sharpness.measure(there, sharpness.init(landscapes.Moment(start)))
    swing = 1e-3 * sharpness.eigenvectors(carry)[0]
    return run.final_params + swing, run.final_state, swing


@functools.cache
def followed(name: str):
    """The averaged run, edge flow with and without a swing; each with its effective sharpness."""
    method, loss, *_ = CASES[name]
    start, state, swing = warmed_up(name)
    settings = {
        "steps": 300,
        "every": 5,
        "keep_params": True,
        "observe": {"effective": landscapes.EffectiveSharpness(loss)},
    }
    seen = discrete.TimeAveraged(method)
    averaged = discrete.run(seen, loss, start, state=seen.from_state(start, state), **settings)
    flow = functools.partial(flows.EdgeFlow, method, order=2, noise=0.0)
    integrator = flows.explicit(rtol=1e-8, atol=1e-11)
    with_swing, stable = (
        flows.solve(model, loss, start, state=state, integrator=integrator, **settings)
        for model in (flow(swing=swing), flow())
    )
    return averaged, with_swing, stable


def error(run, averaged) -> float:
    """Largest distance to the averaged iterates, relative to their excursion."""
    iterates = np.asarray(averaged.params)
    gaps = np.linalg.norm(np.asarray(run.params) - iterates, axis=1)[1:]
    return gaps.max() / np.linalg.norm(iterates[1:] - iterates[1], axis=1).max()


def relative_sharpness(name: str, run) -> np.ndarray:
    return run.observations["effective"][:, 0] / CASES[name][0].effective_threshold


@pytest.mark.slow
@each_case
def test_it_follows_the_run_through_the_edge_a_hundred_times_closer_than_the_flow_without_a_swing(name):
    averaged, with_swing, stable = followed(name)
    assert with_swing.completed and stable.completed
    above = relative_sharpness(name, averaged)
    assert above[0] < 1 < 1.05 < above.max()
    assert error(with_swing, averaged) < 0.001 and error(stable, averaged) > 100 * error(with_swing, averaged)


@each_case
@pytest.mark.slow
def test_its_effective_sharpness_stays_with_that_of_the_run_where_the_other_leaves(name):
    averaged, with_swing, stable = followed(name)
    found = [relative_sharpness(name, run)[1:] for run in (averaged, with_swing, stable)]
    np.testing.assert_allclose(found[1][-10:], found[0][-10:], atol=0.01)
    assert found[2][-1] > 1.5


@pytest.mark.parametrize("method", [discrete.RMSProp(0.1), discrete.HeavyBall(0.1, 0.5)], ids=["RMSProp", "HeavyBall"])
def test_it_starts_in_the_state_that_it_is_given(method: Method):
    run = discrete.run(method, valley, START, steps=3)
    flow = flows.EdgeFlow(method, order=1, noise=0.0)
    here = flow.init(valley, flows.Start(run.final_params, run.final_state))
    assert isinstance(here, Parities) and not any(np.any(leaf) for leaf in jax.tree.leaves(here.swing))
    field = flow.vector_field(valley, 0.0, here)
    later = discrete.run(method, valley, START, steps=4)
    np.testing.assert_allclose(0.1 * field.centre[0], later.final_params - run.final_params, rtol=1e-12)


@pytest.mark.parametrize("wrong", [jnp.zeros(3), (jnp.zeros(2),), None], ids=["shape", "structure", "another method's"])
def test_a_state_of_another_shape_is_refused(wrong):
    wrong = discrete.RMSProp(0.1).init(START) if wrong is None else wrong
    flow = flows.EdgeFlow(discrete.HeavyBall(0.1, 0.5))
    with pytest.raises(ValueError, match=r"`state` must have the structure and shapes of HeavyBall.init\(params\)"):
        flows.solve(flow, valley, START, state=wrong, steps=1)


@pytest.mark.slow
@pytest.mark.parametrize("integrator", [flows.explicit(), flows.stabilized()], ids=["explicit", "stabilized"])
def test_without_noise_or_a_swing_there_is_none_however_far_beyond_the_edge(integrator):
    """Rounding would double in every step here."""
    method = discrete.GradientDescent(0.1)
    bowl = landscapes.build("digits-mlp", widths=(8,), examples=50)
    flow = flows.EdgeFlow(method, order=2, noise=0.0)
    far = jax.tree.map(lambda leaf: 3 * leaf, bowl.params)
    assert 0.1 * landscapes.top_eigenpairs(bowl.loss, far).values[0] > 3
    found = flows.solve(flow, bowl.loss, far, steps=30, every=30, integrator=integrator)
    assert found.completed and not any(np.any(leaf) for leaf in jax.tree.leaves(found.final_state.swing))
