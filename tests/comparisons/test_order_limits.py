"""Where `measure_order` refuses, leaves out, or lets itself be refuted; the orders themselves are in test_order.py."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, strategies as st

import comparisons
import discrete
import flows
import landscapes
from comparisons.theorems.order import SAMPLES, TOLERANCE, Order, _whole_steps, regression

TOY = landscapes.two_valleys()
RATES = [0.004, 0.006, 0.009, 0.014]


class Boastful(flows.GradientFlow):
    """Gradient flow that claims an order it does not have."""

    order = 2


class Humble(flows.GradientFlow):
    """Gradient flow that claims nothing."""

    order = None


class Broken(flows.GradientFlow):
    """A field that exists only at the start."""

    def vector_field(self, loss, t, state):
        return super().vector_field(loss, t, state) * jnp.where(t > 0.1, jnp.nan, 1.0)


def order_of(flow, rates=RATES, method=discrete.GradientDescent, loss=TOY.loss, **more) -> Order:
    return comparisons.measure_order(method, flow, loss, TOY.params, learning_rates=rates, **more)


@pytest.fixture(scope="module")
def first() -> Order:
    return order_of(flows.GradientFlow)


def test_errors_are_the_largest_distances_between_iterates_and_the_exact_flow(first):
    h = float(first.learning_rates[0])
    steps = round(1 / h)
    method = discrete.GradientDescent(h)
    run = discrete.run(method, TOY.loss, TOY.params, steps=steps, keep_params=True, every=steps // SAMPLES)
    tight = flows.explicit(rtol=1e-12, atol=1e-14)
    exact = flows.solve(
        flows.GradientFlow(method), TOY.loss, TOY.params,
        steps=steps, keep_params=True, every=steps // SAMPLES, integrator=tight,
    )  # fmt: skip
    gaps = np.linalg.norm(np.asarray(exact.params) - np.asarray(run.params), axis=1)
    assert first.errors[0] == pytest.approx(gaps.max(), rel=1e-6)


def test_the_slope_is_that_of_the_errors_shown(first):
    slope = np.polyfit(np.log(first.learning_rates), np.log(first.errors), 1)[0]
    assert first.slope == pytest.approx(slope, rel=1e-12)
    assert first.used.all() and not first.reasons
    assert str(first).endswith("(claimed 1): holds")


def test_every_learning_rate_divides_the_duration_into_whole_samples(first):
    steps = 1 / first.learning_rates
    np.testing.assert_allclose(steps, np.round(steps / SAMPLES) * SAMPLES, rtol=1e-12)
    np.testing.assert_allclose(np.sort(first.learning_rates), RATES, rtol=0.2)


@pytest.mark.parametrize(
    ("wanted", "steps"), [(0.1, 1), (1.4, 1), (7.6, 8), (19.0, 19), (29.0, 20), (31.0, 40), (1000.1, 1000)]
)
def test_few_steps_are_all_sampled_and_many_evenly(wanted, steps):
    assert _whole_steps(wanted) == steps
    assert steps % max(1, steps // SAMPLES) == 0


def test_floors_lie_far_below_the_errors_they_admit(first):
    assert np.all(first.floors > 0) and np.all(first.floors < first.errors / 100)


def test_a_flow_that_claims_too_high_an_order_fails():
    boast = order_of(Boastful)
    assert boast.claimed == 2 and boast.verdict == "fails" and not boast.holds
    assert boast.slope == pytest.approx(1, abs=0.1)


def test_a_flow_that_claims_nothing_is_measured_and_left_undecided(first):
    humble = order_of(Humble)
    assert humble.claimed is None and humble.verdict == "undecided"
    assert humble.slope == pytest.approx(first.slope, rel=1e-9)


def test_a_step_size_beyond_the_regime_is_left_out_and_the_rest_is_fitted(first):
    mixed = order_of(flows.GradientFlow, [*RATES, 0.2])
    assert mixed.used.tolist() == [False, True, True, True, True]
    assert "outside the asymptotic regime" in mixed.reasons[0] and mixed.reasons[0].startswith("h = 0.2")
    assert mixed.slope == pytest.approx(first.slope, rel=1e-9)


def test_a_flow_that_its_solver_cannot_follow_is_a_reason():
    broken = order_of(Broken, start="rest")
    assert broken.verdict == "undecided" and np.isnan(broken.slope)
    assert "are usable" in broken.reasons[0]
    assert all("the field is not finite" in reason for reason in broken.reasons[1:])


def test_step_sizes_that_come_to_the_same_number_of_steps_count_once():
    found = order_of(flows.GradientFlow, [0.0099, 0.01, 0.0101, 0.0102])
    assert len(found.learning_rates) < 4
    assert found.verdict == "undecided" and "4 are needed" in found.reasons[0]


def test_ctrl_c_ends_the_measurement_and_not_only_one_of_its_runs(monkeypatch):
    calls = []

    def interrupted(*args, **kwargs):
        calls.append(args)
        run = comparisons.compare(*args, **kwargs)
        status = discrete.Status("interrupted", 7)
        return dataclasses.replace(run, discrete=dataclasses.replace(run.discrete, status=status))

    monkeypatch.setattr("comparisons.theorems.order.compare", interrupted)
    with pytest.raises(KeyboardInterrupt):
        order_of(flows.GradientFlow)
    assert len(calls) <= 2


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"rates": [0.1, 0.2, 0.3]}, "learning_rates"),
        ({"rates": [0.1, 0.1, 0.1, 0.1]}, "learning_rates"),
        ({"rates": [0.1, 0.2, 0.3, np.nan]}, "learning_rates"),
        ({"rates": [0.1, 0.2, 0.3, -0.4]}, "learning_rates"),
        ({"duration": 0.0}, "duration"),
        ({"duration": np.inf}, "duration"),
        ({"start": "slow"}, "start"),
    ],
)
def test_misuse_is_refused_by_name(arguments, named):
    with pytest.raises(ValueError, match=f"`{named}`"):
        order_of(flows.GradientFlow, **arguments)


@given(
    st.floats(0.5, 5),
    st.floats(-8, 2),
    st.lists(st.floats(-12, 0), min_size=4, max_size=9, unique_by=round),
)
def test_the_regression_recovers_any_power_law(power, log_factor, log_steps):
    steps = np.exp(np.array(log_steps))
    slope, width = regression(steps, np.exp(log_factor) * steps**power)
    assert slope == pytest.approx(power, abs=1e-6)
    assert width < 1e-5


def test_the_confidence_covers_the_true_slope_in_95_of_100_cases():
    random = np.random.default_rng(0)
    steps = np.geomspace(1e-3, 1e-1, 5)
    noisy = (2 * steps**1.5 * np.exp(0.1 * random.standard_normal(5)) for _ in range(2000))
    covered = [abs(slope - 1.5) <= width for slope, width in (regression(steps, errors) for errors in noisy)]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize(
    ("slope", "verdict"),
    [(2.0, "holds"), (2.149, "holds"), (1.851, "holds"), (2.151, "fails"), (1.849, "fails"), (np.nan, "undecided")],
)
def test_the_tolerance_is_two_sided(slope, verdict):
    none = np.zeros(0)
    made = Order(none, none, none, none, none, 2, slope, 0.1, ["a reason"])
    assert made.verdict == verdict and made.holds == (verdict == "holds")
    assert TOLERANCE < 0.5, "neighbouring orders must be told apart"
    assert ("a reason" in str(made)) == (verdict == "undecided")
