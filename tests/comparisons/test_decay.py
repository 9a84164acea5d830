"""Verdicts on energies: a rise counts once it stands out of the floor, a run that failed has none, rates are fitted."""

import jax.numpy as jnp
import numpy as np
import pytest

import comparisons
import discrete
import flows
import landscapes
from comparisons import Decay

BOWL = landscapes.quadratic(eigenvalues=(9.0, 3.0, 1.0))


def recorded(energies, *, floor=0.0, gaps=None, status="completed") -> Decay:
    energies = np.asarray(energies, float)
    times = np.arange(len(energies)) * 0.5
    gaps = np.zeros(len(energies)) if gaps is None else np.asarray(gaps, float)
    bounds = np.divide(energies[0], times**2, out=np.full(len(times), np.inf), where=times > 0)
    return Decay(times, energies, np.full(len(energies), floor), gaps, bounds, status)


def test_the_largest_rise_is_in_units_of_the_energy_at_the_start():
    assert recorded([4.0, 2.0, 3.0, 1.0]).largest_rise == 0.25
    assert recorded([4.0, 2.0, 1.0, 0.5]).largest_rise == -0.125


@pytest.mark.parametrize(
    ("energies", "floor", "verdict"),
    [
        ([4.0, 2.0, 1.0], 0.0, "holds"),
        ([4.0, 4.0, 4.0], 0.0, "holds"),
        ([4.0, 2.0, 2.01], 0.0, "fails"),
        ([4.0, 2.0, 2.01], 1e-3, "holds"),
        ([4.0, 2.0, 2.01], 1e-4, "fails"),
    ],
)
def test_a_rise_fails_once_it_exceeds_ten_times_the_floor_at_both_ends(energies, floor, verdict):
    assert recorded(energies, floor=floor).verdict == verdict


def test_a_run_that_failed_has_no_verdict():
    assert recorded([4.0, 2.0, 1.0], status="diverged at step 3").verdict == "undecided"


def test_the_share_of_the_bound_is_the_largest_and_nothing_where_there_is_no_bound():
    """The bounds are infinite at t = 0 and 16 and 4 after."""
    assert recorded([4.0, 4.0, 4.0], gaps=[100.0, 4.0, 3.0]).share_of_bound == 0.75


def test_the_power_of_the_loss_is_fitted_from_the_time_given():
    times = np.arange(40) * 0.5
    late = 3 / np.maximum(times, 0.5) ** 2.5
    found = recorded(np.ones(40), gaps=np.where(times < 5, 1.0, late))
    power, width = found.power(after=5.0)
    assert power == pytest.approx(2.5, rel=1e-12) and width < 1e-6
    assert found.power()[1] > 0.1


def test_without_three_positive_gaps_there_is_no_power():
    assert np.all(np.isnan(recorded(np.ones(5), gaps=[1.0, 1.0, 1.0, 0.0, -1e-17]).power()))
    assert np.all(np.isnan(recorded(np.ones(5), gaps=np.ones(5)).power(after=1.5)))


METHOD = discrete.nesterov_convex(1 / 9)
FLOW = flows.SuBoydCandes(METHOD)
ENERGY = FLOW.energy(BOWL.loss, jnp.zeros(3))


def test_the_record_of_a_flow_is_that_of_its_solution_in_its_own_clock():
    found = comparisons.measure_decay(FLOW, BOWL.loss, BOWL.params, ENERGY, steps=60, every=3)
    solution = flows.solve(FLOW, BOWL.loss, BOWL.params, steps=60, every=3, observe={"loss": BOWL.loss})
    np.testing.assert_allclose(found.times, solution.times, rtol=1e-14)
    np.testing.assert_allclose(found.gaps, solution.observations["loss"], atol=1e-8)
    np.testing.assert_allclose(found.bounds[1:], found.energies[0] / found.times[1:] ** 2, rtol=1e-12)
    assert found.bounds[0] == np.inf
    assert found.energies[0] == pytest.approx(2 * float(BOWL.params @ BOWL.params), rel=1e-12)
    assert np.all(found.floors < 1e-8 * found.energies[0]) and np.all(found.floors > 0)
    assert found.verdict == "holds" and found.status == "completed"


def test_a_method_is_measured_on_the_clock_of_its_flow_by_its_own_energy():
    found = comparisons.measure_decay(METHOD, BOWL.loss, BOWL.params, ENERGY, steps=60, every=3)
    np.testing.assert_allclose(found.times, np.arange(0, 61, 3) / 3, rtol=1e-14)
    following = BOWL.params - BOWL.loss.matrix @ BOWL.params / 9
    expected = ENERGY.of_method(0, BOWL.params, following)
    assert found.energies[0] == pytest.approx(float(expected), rel=1e-12)
    assert found.verdict == "holds"


def test_a_method_that_diverges_leaves_its_energy_undecided():
    beyond = discrete.nesterov_convex(1.0)
    energy = flows.SuBoydCandes(beyond).energy(BOWL.loss, jnp.zeros(3))
    found = comparisons.measure_decay(beyond, BOWL.loss, BOWL.params, energy, steps=60, every=3)
    assert found.status.startswith("diverged") and found.verdict == "undecided"
    assert len(found.times) == len(found.energies) == len(found.bounds) < 21


def test_an_energy_that_overflowed_decides_nothing():
    found = recorded([4.0, np.inf, np.inf])
    assert found.verdict == "undecided" and np.isnan(found.largest_rise)


def test_a_falling_energy_below_zero_has_no_rise():
    assert recorded([-3.0, -3.1, -3.2]).largest_rise < 0


def test_params_of_single_precision_are_refused():
    flow = flows.SuBoydCandes(discrete.nesterov_convex(0.1))
    start = jnp.ones(2, jnp.float32)
    with pytest.raises(ValueError, match="must be float64"):
        comparisons.measure_decay(flow, lambda x: x @ x, start, flow.energy(lambda x: x @ x, start), steps=5)


@pytest.mark.parametrize("r", [0.5, 1.0])
def test_an_r_without_energy_is_refused(r):
    with pytest.raises(ValueError, match="`r` must exceed 1"):
        flows.SuBoydCandes(discrete.nesterov_convex(0.1, r)).energy(lambda x: x @ x, jnp.zeros(2))
