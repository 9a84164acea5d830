"""Where a comparison starts: at rest, on the slow manifold, in a given state, at another point."""

import jax
import jax.numpy as jnp
import numpy as np
from comparison_cases import PROBLEM, START, STEPS, compared, flat, heavy_ball, models, usual

import comparisons
import discrete
import flows
from flows.running.slow_manifold import slow_manifold_state


def test_from_the_slow_manifold_the_modified_flow_stays_closer_than_from_rest():
    method = heavy_ball(0.005)
    rest, manifold = (
        compared(method, start=start).divergence["modified"].distance for start in ("rest", "slow-manifold")
    )
    assert np.all(manifold[1:] < 0.3 * rest[1:])


def test_the_slow_manifold_is_that_of_the_flow_of_highest_order():
    method = heavy_ball(0.02)
    state = slow_manifold_state(flows.ModifiedFlow(method), PROBLEM.loss, START)
    given, named = compared(method, state=state), compared(method, start="slow-manifold")
    np.testing.assert_array_equal(named.divergence["modified"].distance, given.divergence["modified"].distance)


def test_gradient_descent_has_no_transient_wherever_it_starts():
    method = discrete.GradientDescent(0.1)
    chosen = {"flow": flows.GradientFlow(method)}
    rest, manifold = (compared(method, flows=chosen, observe={}, start=start) for start in ("rest", "slow-manifold"))
    np.testing.assert_array_equal(rest.divergence["flow"].distance, manifold.divergence["flow"].distance)


def test_a_state_given_is_the_one_that_is_run_from():
    velocity = jax.tree.map(lambda leaf: 0.1 * jnp.ones_like(leaf), START)
    comparison = compared(state=velocity)
    run = discrete.run(heavy_ball(), PROBLEM.loss, START, steps=STEPS, state=velocity)
    np.testing.assert_allclose(flat(comparison.discrete.final_params), flat(run.final_params), rtol=1e-14)


def test_params_given_replace_the_start_of_a_problem():
    elsewhere = {**START, "b": jnp.array(-1.0)}
    assert float(compared(params=elsewhere).discrete.observations["loss"][0]) == float(PROBLEM.loss(elsewhere))


def test_every_side_starts_at_the_same_point():
    losses = [t.observations["loss"][0] for t in (usual().discrete, *usual().flows.values())]
    assert len(set(losses)) == 1
    assert [apart.distance[0] for apart in usual().divergence.values()] == [0, 0]
    assert set(usual().flows) == set(models(heavy_ball()))


def test_a_view_of_a_method_starts_on_the_manifold_of_that_method():
    method = heavy_ball(0.02)
    averaged = discrete.TimeAveraged(method)
    model = {"modified": flows.ModifiedFlow(method)}
    state = averaged.from_state(START, slow_manifold_state(model["modified"], PROBLEM.loss, START))
    found, given = (
        comparisons.compare(averaged, model, PROBLEM, steps=4, **chosen).divergence["modified"].distance
        for chosen in ({"start": "slow-manifold"}, {"state": state})
    )
    np.testing.assert_array_equal(found, given)
