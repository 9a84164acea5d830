"""Sampling a flow more often neither moves its solution nor restarts its solver; progress and interruption."""

import jax.numpy as jnp
import numpy as np
import pytest
from flow_cases import TOY

import discrete
import flows
import landscapes

H, STEPS = 0.02, 1000
# Sharpness 100 = 2/h: the solver is held by stability, at about 0.7 of its steps per step of the method.
EDGE = landscapes.quadratic(eigenvalues=(100.0, 1.0, 0.1), seed=2)
FLOW = flows.GradientFlow(discrete.GradientDescent(H))


def at_the_edge(every):
    return flows.solve(FLOW, EDGE.loss, EDGE.params, steps=STEPS, every=every, keep_params=True)


def test_samples_every_step_and_every_tenth_agree():
    often, seldom = at_the_edge(1), at_the_edge(10)
    assert often.steps.tolist() == list(range(1001)) and seldom.steps.tolist() == list(range(0, 1001, 10))
    np.testing.assert_allclose(often.params[::10], seldom.params, atol=3e-9)


def test_a_sample_costs_at_most_one_solver_step():
    """The one that it cuts short."""
    alone = at_the_edge(STEPS).cost.solver_steps
    for every in (1, 10):
        extra = at_the_edge(every).cost.solver_steps - alone
        assert extra <= STEPS // every, (every, extra, alone)


def test_stability_at_the_edge_costs_the_solver_steps_that_the_integrator_says():
    """0.7 per step of the method at sharpness 2/h."""
    flow = flows.GradientFlow(discrete.GradientDescent(2 / 1e4))
    loss = landscapes.Quadratic(jnp.diag(jnp.array([1e4, 1.0, 0.1])), jnp.zeros(3))
    solution = flows.solve(flow, loss, jnp.ones(3), steps=5000, every=5000, keep_params=True)
    assert 0.6 < solution.cost.solver_steps / 5000 < 0.75


def test_a_step_cut_short_by_a_sample_is_remembered():
    """Samples a little closer than the solver's own steps: one step each, where a search begun anew takes 1.5."""
    flow = flows.GradientFlow(discrete.GradientDescent(H))
    solution = flows.solve(flow, TOY.loss, TOY.params, steps=400, every=2)
    assert 200 <= solution.cost.solver_steps < 1.1 * 200


def test_progress_rises_to_the_number_of_steps_and_an_interrupt_keeps_what_is_finished():
    seen = []

    def interrupt(done, steps):
        seen.append((done, steps))
        if done > 0:
            raise KeyboardInterrupt

    flow = flows.GradientFlow(discrete.GradientDescent(H))
    whole = flows.solve(flow, TOY.loss, TOY.params, steps=400, every=2, progress=lambda *now: seen.append(now))
    assert seen[-1] == (400, 400) and [done for done, _ in seen] == sorted({done for done, _ in seen})
    part = flows.solve(flow, TOY.loss, TOY.params, steps=400, every=2, progress=interrupt)
    done = seen[-1][0]
    assert 0 < done < 400 and part.steps[-1] == done and not part.completed
    assert part.status == f"stopped: interrupted after step {done}"
    assert whole.completed and np.linalg.norm(whole.final_params - part.final_params) > 0.1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0, "every": 1}, "`steps` must be a positive whole number, got 0"),
        ({"steps": 10, "every": 3}, "`every` = 3 must divide `steps` = 10; take 9 steps or another `every`"),
        ({"steps": 10, "every": 1, "divergence_radius": -1.0}, "`divergence_radius` must be positive, got -1.0"),
    ],
    ids=str,
)
def test_misuse_is_refused_by_name(options, message):
    with pytest.raises(ValueError, match=message):
        flows.solve(FLOW, EDGE.loss, EDGE.params, **options)
