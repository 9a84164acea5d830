"""What every flow that moves by itself must do, over the table of cases."""

import logging

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flow_cases import NEST, STEPPED, TOY, bowl, solved
from jax.flatten_util import ravel_pytree

import flows
import landscapes

every_flow = pytest.mark.parametrize("case", STEPPED.values(), ids=STEPPED)
START = jax.tree.map(lambda leaf: leaf + 0.5, NEST)


def flat(tree) -> np.ndarray:
    return np.asarray(ravel_pytree(tree)[0])


@every_flow
@pytest.mark.slow
def test_a_minimiser_is_a_rest_point(case):
    solution = flows.solve(case.make(0.1), bowl, NEST, steps=3)
    np.testing.assert_allclose(flat(solution.final_params), flat(NEST), atol=1e-12)
    assert solution.completed


@every_flow
@pytest.mark.slow
def test_a_nested_pytree_and_its_flat_vector_move_alike(case):
    start, unravel = ravel_pytree(START)
    level = flows.solve(case.make(0.1), lambda w: bowl(unravel(w)), start, steps=3).final_params
    nested = flows.solve(case.make(0.1), bowl, START, steps=3).final_params
    assert np.linalg.norm(flat(level) - start) > 0.1
    np.testing.assert_allclose(flat(nested), flat(level), rtol=1e-12)


@every_flow
@pytest.mark.slow
def test_it_follows_gradient_descent_where_nothing_oscillates(case):
    flow = case.make(0.01)
    solution = solved(flow, steps=128)
    gradient = solved(flows.GradientFlow(flow.method), steps=128)
    np.testing.assert_allclose(solution.times, 0.01 * solution.steps, rtol=1e-15)
    travelled = np.linalg.norm(gradient.final_params - TOY.params)
    assert np.linalg.norm(solution.final_params - gradient.final_params) < 0.05 * travelled


@every_flow
@pytest.mark.slow
def test_work_is_counted_and_grows_with_the_steps(case):
    short, long = (flows.solve(case.make(0.1), bowl, START, steps=steps).cost for steps in (2, 8))
    assert 0 < short.gradients + short.hessian_products < long.gradients + long.hessian_products


@every_flow
def test_a_second_solve_with_another_learning_rate_compiles_nothing(case, caplog):
    solved(case.make(0.01), steps=128)
    caplog.clear()
    with jax.log_compiles(), caplog.at_level(logging.WARNING, logger="jax"):
        solved(case.make(0.005), steps=64)
    assert "Finished XLA compilation" not in caplog.text


@every_flow
@pytest.mark.slow
def test_float32_stays_float32(case):
    solution = flows.solve(case.make(0.05), TOY.loss, TOY.params.astype(jnp.float32), steps=4, keep_params=True)
    assert solution.completed and solution.params.dtype == jnp.float32


class Speed(landscapes.MotionObservable):
    """|dX/dt|."""

    def of_flow(self, time, params, velocity):
        return jnp.linalg.norm(velocity)

    def of_method(self, step, params, following):
        raise NotImplementedError


def test_an_instrument_of_motion_sees_the_displacement_of_a_stepped_flow_over_its_time():
    run = flows.solve(
        STEPPED["rod flow"].make(0.1), TOY.loss, TOY.params, steps=3, observe={"speed": Speed()}, keep_params=True
    )
    expected = np.linalg.norm(np.diff(run.path, axis=0), axis=1) / 0.1
    np.testing.assert_allclose(run.observations["speed"][:-1], expected, rtol=1e-12)
