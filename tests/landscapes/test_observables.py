"""Instruments: what they measure, how they carry their last answer along, and under which names results appear."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import landscapes
from landscapes import (
    GradientCosine,
    GradientNorm,
    Moment,
    MotionObservable,
    Observable,
    Reading,
    Sharpness,
    check_observables,
    flattened,
    init_carries,
    measure_all,
)

QUADRATIC = landscapes.quadratic(eigenvalues=[3.0, 1.0, 0.5])


class Counter(Observable):
    """Counts its measurements, starting from the size of the params."""

    def init(self, moment):
        return jnp.asarray(float(moment.params.size))

    def measure(self, moment, carry):
        return Reading({"value": carry, "twice": 2 * carry}), carry + 1


def measured_at(observe, params, carries):
    """What is stored, and the new carries."""
    readings, carries = measure_all(observe, Moment(params), carries)
    return flattened(readings), carries


# Names and carries


def test_a_plain_function_is_measured_under_its_own_name():
    measured, _ = measured_at({"half": lambda w: w[0] / 2}, jnp.asarray([3.0]), {})
    assert {name: float(value) for name, value in measured.items()} == {"half": 1.5}


def test_the_entry_value_takes_the_name_of_the_observable_and_the_others_are_appended():
    measured, _ = measured_at({"n": Counter()}, jnp.zeros(3), {"n": jnp.asarray(3.0)})
    assert {name: float(value) for name, value in measured.items()} == {"n": 3.0, "n_twice": 6.0}


def test_a_plain_function_may_return_several_entries_too():
    measured, _ = measured_at({"w": lambda w: {"value": w[0], "last": w[-1]}}, jnp.asarray([1.0, 2.0]), {})
    assert {name: float(value) for name, value in measured.items()} == {"w": 1.0, "w_last": 2.0}


def test_only_observables_with_a_carry_get_one():
    assert init_carries({"n": Counter(), "norm": landscapes.parameter_norm}, Moment(jnp.zeros(3))) == {"n": 3.0}


def test_each_measurement_is_given_the_carry_of_the_one_before():
    observe = {"a": Counter(), "b": Counter()}
    carries = init_carries(observe, Moment(jnp.zeros(2)))
    first, carries = measured_at(observe, jnp.zeros(2), carries)
    second, carries = measured_at(observe, jnp.zeros(2), carries)
    assert (first["a"], second["a"], second["b"], carries["b"]) == (2, 3, 3, 4)


def test_measuring_leaves_the_old_carries_as_they_were():
    carries = {"n": jnp.asarray(3.0)}
    measured_at({"n": Counter()}, jnp.zeros(3), carries)
    assert carries == {"n": 3.0}


def test_two_entries_of_one_name_are_refused():
    observe = {"n": Counter(), "n_twice": landscapes.parameter_norm}
    with pytest.raises(
        ValueError, match=r"`observe\['n_twice'\]` measures \['n_twice'\], which another entry measures"
    ):
        measured_at(observe, jnp.zeros(3), init_carries(observe, Moment(jnp.zeros(3))))


class Going(MotionObservable):
    """The motion itself."""

    def of_flow(self, time, params, velocity):
        return velocity

    def of_method(self, step, params, following):
        return following - params


def test_a_run_that_moves_measures_an_instrument_of_motion_and_no_other():
    observe = {"going": Going(), "half": lambda w: w[0] / 2}
    x, y = jnp.asarray([3.0]), jnp.asarray([5.0])
    assert init_carries(observe, Moment(x)) == {}
    readings, _ = measure_all(observe, Moment(x, following=lambda: y), {})
    assert {name: value.item() for name, value in flattened(readings).items()} == {"going": 2.0, "half": 1.5}


def test_an_instrument_of_motion_where_nothing_moves_is_refused():
    check_observables({"going": Going()})
    with pytest.raises(ValueError, match=r"`observe\['going'\]` needs a run that moves: give it to run, solve or"):
        measured_at({"going": Going()}, jnp.zeros(3), {})


@pytest.mark.parametrize("name", ["", "train loss", "a-b", "a/b", "a.b", 3, None])
def test_a_name_that_could_not_be_stored_is_refused(as_installed, name):
    with pytest.raises(ValueError, match="`observe` names must be letters, digits and underscores, got"):
        check_observables({name: landscapes.parameter_norm})


@pytest.mark.parametrize("observable", [1.0, "loss", None, jnp.ones(2)], ids=str)
def test_an_entry_that_measures_nothing_is_refused(as_installed, observable):
    with pytest.raises(ValueError, match=r"`observe\['x'\]` must be a function of params or an Observable, got"):
        check_observables({"x": observable})


def test_functions_and_observables_under_plain_names_are_taken():
    check_observables({"loss": QUADRATIC.loss, "lambda_1": Sharpness(QUADRATIC.loss), "norm2": lambda w: w @ w})


# Sharpness


def measured_by(observable):
    return eqx.filter_jit(lambda params, carry: observable.measure(Moment(params), carry))


def test_the_sharpness_of_a_quadratic_is_its_largest_eigenvalues():
    observe = {"sharpness": Sharpness(QUADRATIC.loss, k=2)}
    carries = init_carries(observe, Moment(QUADRATIC.params))
    measured, _ = jax.jit(lambda w, carries: measured_at(observe, w, carries))(QUADRATIC.params, carries)
    assert set(measured) == {"sharpness", "sharpness_residual", "sharpness_hessian_products"}
    np.testing.assert_allclose(measured["sharpness"], [3, 1], rtol=1e-12)


def test_the_sharpness_is_algebraic_and_not_by_magnitude():
    problem = landscapes.quadratic(eigenvalues=[-5.0, 1.0])
    sharpness = Sharpness(problem.loss)
    measured, _ = measured_by(sharpness)(problem.params, sharpness.init(Moment(problem.params)))
    np.testing.assert_allclose(measured.value, [1], rtol=1e-12)


@pytest.fixture(scope="module")
def hundred():
    """A quadratic in 100 dimensions, its sharpness, and what the first measurement of it gives."""
    problem = landscapes.quadratic(eigenvalues=np.linspace(1, 2, 100).tolist())
    sharpness = Sharpness(problem.loss, k=2)
    measure = measured_by(sharpness)
    return problem, sharpness, measure, *measure(problem.params, sharpness.init(Moment(problem.params)))


def test_a_second_measurement_costs_less_than_half_of_the_first(hundred):
    problem, _, measure, first, carry = hundred
    second, _ = measure(problem.params, carry)
    assert second.hessian_products < first.hessian_products / 2
    np.testing.assert_allclose(second.value, [2, 2 - 1 / 99], rtol=1e-7)


def test_the_eigenvectors_in_the_carry_are_those_of_the_values(hundred):
    problem, sharpness, _, first, carry = hundred
    vectors = sharpness.eigenvectors(carry)
    defects = vectors @ problem.loss.matrix - first.value[:, None] * vectors
    norms = jnp.linalg.norm(defects, axis=1)
    # The curvatures lie so close that the search is exact: what is left is rounding.
    assert np.all(norms < 1e-13)
    np.testing.assert_allclose(norms / first.value, first.diagnostics["residual"], rtol=1e-3, atol=1e-14)


def test_params_that_are_not_numbers_have_no_sharpness_and_leave_the_carry_as_it_was():
    sharpness = Sharpness(lambda w: jnp.sum(w**4))
    carry = sharpness.init(Moment(jnp.ones(80)))
    measured, kept = measured_by(sharpness)(jnp.full(80, jnp.nan), carry)
    assert np.all(np.isnan(measured.value))
    assert eqx.tree_equal(kept, carry)


@pytest.mark.parametrize("k", [0, -1])
def test_a_sharpness_of_no_eigenvalues_is_refused(k):
    with pytest.raises(ValueError, match=rf"`Sharpness\(k=...\)` must be at least 1, got {k}"):
        Sharpness(QUADRATIC.loss, k=k)


# Gradients and norms


def gradient_at(x) -> np.ndarray:
    return np.asarray(QUADRATIC.loss.matrix) @ np.asarray(x)


def test_the_gradient_norm_is_euclidean_over_all_leaves():
    loss = lambda w: 1.5 * w["a"] ** 2 + 2 * jnp.sum(w["b"])  # noqa: E731
    assert float(GradientNorm(loss)({"a": jnp.asarray(2.0), "b": jnp.ones((2, 2))})) == pytest.approx(np.sqrt(36 + 16))


def test_the_parameter_norm_is_euclidean_over_all_leaves():
    assert float(landscapes.parameter_norm({"a": jnp.asarray(3.0), "b": jnp.ones((4, 4))})) == pytest.approx(5.0)


def test_the_gradient_cosine_is_one_at_the_first_sample():
    cosine = GradientCosine(QUADRATIC.loss)
    found, _ = cosine.measure(Moment(QUADRATIC.params), cosine.init(Moment(QUADRATIC.params)))
    assert float(found.value) == pytest.approx(1.0, abs=1e-15)


def test_the_gradient_cosine_is_between_the_gradients_of_successive_samples():
    cosine = GradientCosine(QUADRATIC.loss)
    points = np.random.default_rng(0).standard_normal((3, 3))
    carry = cosine.init(Moment(jnp.asarray(points[0])))
    for before, now in itertools.pairwise(points):
        found, carry = cosine.measure(Moment(jnp.asarray(now)), carry)
        a, b = gradient_at(before), gradient_at(now)
        assert float(found.value) == pytest.approx(a @ b / np.linalg.norm(a) / np.linalg.norm(b), rel=1e-12)


def test_the_gradient_cosine_of_a_vanishing_gradient_is_zero():
    cosine = GradientCosine(QUADRATIC.loss)
    found, _ = cosine.measure(Moment(jnp.zeros(3)), cosine.init(Moment(QUADRATIC.params)))
    assert float(found.value) == 0


def test_the_gradient_cosine_takes_any_pytree():
    loss = lambda w: jnp.sum(w["a"] ** 2) + 3 * w["b"][0] ** 2  # noqa: E731
    cosine = GradientCosine(loss)
    start, moved = {"a": jnp.ones((2, 2)), "b": [jnp.asarray(1.0)]}, {"a": jnp.ones((2, 2)), "b": [jnp.asarray(-1.0)]}
    found, _ = cosine.measure(Moment(moved), cosine.init(Moment(start)))
    assert float(found.value) == pytest.approx((4 * 4 - 36) / (4 * 4 + 36))
