"""What a comparison measures, against numpy on trajectories that the floors below computed on their own."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from comparison_cases import INPUTS, OBSERVE, PROBLEM, START, STEPS, compared, flat, heavy_ball, models, usual
from hypothesis import given, strategies as st
from jax.flatten_util import ravel_pytree

import discrete
import flows
import landscapes
from comparisons.divergence.sides import angle, tracked_sharpness

FLOWS = ("gradient flow", "modified")


@cache
def iterates() -> np.ndarray:
    found = discrete.run(heavy_ball(), PROBLEM.loss, START, steps=STEPS, keep_params=True)
    return found.path


@cache
def solution(name: str) -> np.ndarray:
    flow = models(heavy_ball())[name]
    return flows.solve(flow, PROBLEM.loss, START, steps=STEPS, keep_params=True).path


@pytest.mark.parametrize("name", FLOWS)
def test_the_distance_is_that_between_a_run_and_a_solution_made_apart(name):
    expected = np.linalg.norm(solution(name) - iterates(), axis=1)
    assert expected.max() > 1e-4
    np.testing.assert_allclose(usual().divergence[name].distance, expected, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("name", FLOWS)
def test_the_relative_distance_is_zero_at_the_start_and_a_share_of_the_way_after(name):
    relative = usual().divergence[name].relative_distance
    travelled = np.linalg.norm(iterates() - flat(START), axis=1)
    gaps = np.linalg.norm(solution(name) - iterates(), axis=1)
    assert relative[0] == 0
    np.testing.assert_allclose(relative[1:], gaps[1:] / travelled[1:], rtol=1e-8)


@pytest.mark.parametrize("name", FLOWS)
def test_the_angle_is_that_between_the_displacements(name):
    a, b = solution(name) - flat(START), iterates() - flat(START)
    cosine = np.sum(a * b, axis=1)[1:] / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))[1:]
    found = usual().divergence[name].angle
    assert found[0] == 0
    np.testing.assert_allclose(np.cos(found[1:]), cosine, atol=1e-9)


@pytest.mark.parametrize("name", FLOWS)
def test_the_gap_splits_along_and_across_the_top_eigenvectors_of_the_method(name):
    _, unravel = ravel_pytree(START)
    hessian = jax.jit(jax.hessian(lambda w: PROBLEM.loss(unravel(w))))
    apart = usual().divergence[name]
    assert apart.along is not None and apart.across is not None and apart.along.shape == (STEPS + 1, 2)
    for n in (1, 7, STEPS):
        point, gap = iterates()[n], solution(name)[n] - iterates()[n]
        coordinates = np.linalg.eigh(np.asarray(hessian(point)))[1].T[::-1] @ gap
        np.testing.assert_allclose(apart.along[n], np.abs(coordinates[:2]), rtol=1e-6, atol=1e-12)
        np.testing.assert_allclose(apart.across[n], np.abs(coordinates[2]), rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("name", FLOWS)
def test_the_function_distance_is_the_root_mean_square_over_examples(name):
    def outputs(rows: np.ndarray) -> np.ndarray:
        hidden = np.tanh(np.asarray(INPUTS)[None] * rows[:, None, :])
        return np.stack([hidden.sum(axis=2), hidden[:, :, 0] * hidden[:, :, 2]], axis=2)

    squared = np.sum((outputs(solution(name)) - outputs(iterates())) ** 2, axis=2)
    found = usual().divergence[name].function_distance
    np.testing.assert_allclose(found, np.sqrt(squared.mean(axis=1)), rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("name", FLOWS)
def test_a_flow_in_lockstep_is_the_flow_solved_alone(name):
    flow = models(heavy_ball())[name]
    lonely = flows.solve(flow, PROBLEM.loss, START, steps=STEPS, observe={"loss": PROBLEM.loss, **OBSERVE})
    together = usual().flows[name]
    assert together.status == lonely.status == "completed"
    for key, rows in lonely.observations.items():
        np.testing.assert_allclose(together.observations[key], rows, rtol=1e-9, atol=1e-12, err_msg=key)
    np.testing.assert_array_equal(together.times, lonely.times)
    assert together.cost.solver_steps == lonely.cost.solver_steps


def test_the_loss_is_observed_on_every_side_without_being_asked_for():
    for trajectory in (usual().discrete, *usual().flows.values()):
        assert trajectory.observations["loss"].shape == (STEPS + 1,)
    expected = [float(PROBLEM.loss(START)), float(PROBLEM.loss(usual().discrete.final_params))]
    np.testing.assert_allclose(usual().discrete.observations["loss"][[0, -1]], expected, rtol=1e-12)


def test_gaps_are_flow_minus_method_and_the_loss_gap_is_their_size():
    apart, method, flow = usual().divergence["modified"], usual().discrete, usual().flows["modified"]
    for name in ("loss", "sharpness", "gradient_norm"):
        np.testing.assert_array_equal(apart.gaps[name], flow.observations[name] - method.observations[name])
    np.testing.assert_array_equal(apart.loss_gap, np.abs(apart.gaps["loss"]))
    assert np.any(apart.gaps["loss"] < 0)


def test_the_residuals_of_the_instruments_have_no_gaps():
    assert set(usual().divergence["modified"].gaps) == {"loss", "sharpness", "gradient_norm"}


def test_a_truth_value_is_an_observable_too():
    method = heavy_ball()
    comparison = compared(
        method, flows={"g": flows.GradientFlow(method)}, observe={"ahead": lambda p: p["a"][0] < p["a"][1]}, steps=10
    )
    sides = comparison.discrete.observations["ahead"], comparison.flows["g"].observations["ahead"]
    expected = sides[1].astype(float) - sides[0].astype(float)
    np.testing.assert_array_equal(comparison.divergence["g"].gaps["ahead"], expected)


def test_the_first_step_beyond_a_tolerance_is_the_first_sample_whose_relative_distance_exceeds_it():
    apart = usual().divergence["gradient flow"]
    beyond = [n for n, share in enumerate(apart.relative_distance) if share > 0.1]
    assert beyond and apart.first_step_beyond(0.1) == beyond[0] > 0
    assert apart.first_step_beyond(float(apart.relative_distance.max())) is None


def test_measuring_less_often_changes_no_measurement():
    sparse = compared(steps=4 * STEPS, every=4)
    often, seldom = usual().steps % 4 == 0, sparse.steps <= STEPS
    one, other = usual().discrete.observations["loss"][often], sparse.discrete.observations["loss"][seldom]
    np.testing.assert_allclose(one, other, rtol=1e-12)
    one, other = usual().divergence["modified"].distance[often], sparse.divergence["modified"].distance[seldom]
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-10)


def test_params_of_samples_are_not_kept_unless_asked_for():
    assert usual().discrete.params is None and usual().flows["modified"].params is None
    np.testing.assert_allclose(flat(usual().discrete.final_params), iterates()[-1], rtol=1e-12)


@given(st.floats(-14, -1), st.integers(0, 2**32 - 1), st.floats(-3, 3))
def test_small_angles_keep_their_digits(exponent, seed, size):
    random = np.random.default_rng(seed)
    a, b = np.linalg.qr(random.standard_normal((4, 2)))[0].T
    wanted = 10.0**exponent
    turned = 10.0**size * (np.cos(wanted) * a + np.sin(wanted) * b)
    assert float(angle(a, turned)) == pytest.approx(wanted, rel=1e-6, abs=1e-15)


def test_angles_reach_from_zero_to_pi_and_a_vanishing_vector_has_none():
    a = np.array([1.0, 2.0])
    assert float(angle(a, -3 * a)) == pytest.approx(np.pi)
    assert float(angle(a, np.array([-2.0, 1.0]))) == pytest.approx(np.pi / 2)
    assert float(angle(a, 0 * a)) == float(angle(0 * a, 0 * a)) == 0


def test_the_eigenvectors_are_those_of_the_loss_of_the_run_whatever_else_is_tracked():
    other = landscapes.Sharpness(lambda p: jnp.sum(p["a"] ** 4) + p["b"] ** 2)
    mine = landscapes.Sharpness(PROBLEM.loss)
    observe = {"first_of_all": other, "sharpness": mine}
    assert tracked_sharpness(observe, PROBLEM.loss) == "sharpness"
    assert tracked_sharpness({"another": mine, "first_of_all": other}, PROBLEM.loss) == "another"
    assert tracked_sharpness({"sharpness": other}, PROBLEM.loss) is None
