"""Bounds on the distance to a flow: closed forms, what is certified holds, and what is no bound is refused."""

from functools import cache, partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import comparisons
import discrete
import flows
import landscapes
from comparisons.theorems.bound_instruments import WEIGHTS, Defect, GrowthRate
from landscapes.losses.toys import Quadratic

FINE = flows.explicit(rtol=1e-12, atol=1e-14)


def waves(x):
    """Hessian diag(cos x_1, -4 cos 2 x_2): its Lipschitz constant is 8."""
    return -jnp.cos(x[0]) + jnp.cos(2 * x[1])


class Turning(flows.ODEFlow):
    """A field that is no gradient."""

    method: discrete.Method
    order: int | None = None

    @property
    def field_cost(self):
        return flows.FieldCost(gradients=0)

    def vector_field(self, loss, t, state):
        x, y = state
        return jnp.stack([x - y**2, 3 * x + jnp.sin(y)])


def compared(loss, start, method=None, make=flows.GradientFlow, *, steps=40, every=1, **settings):
    method = discrete.GradientDescent(0.1) if method is None else method
    flow = make(method)
    observe = comparisons.bound_instruments(flow, loss)
    return comparisons.compare(
        method, {"flow": flow}, loss, jnp.asarray(start), steps=steps, every=every, observe=observe, integrator=FINE
    )


def quadratic(*eigenvalues, start=(1.0, 1.0), **settings):
    return compared(Quadratic(jnp.diag(jnp.asarray(eigenvalues)), jnp.zeros(2)), start, **settings)


@cache
def on_waves():
    return compared(waves, (0.4, 0.3))


def certified(comparison, **settings):
    return comparisons.divergence_bound(comparison, "flow", lipschitz=0.0, **settings)


def test_in_one_direction_the_bound_is_the_distance_itself():
    found = certified(quadratic(1.0, 1.0, start=(1.0, 0.0)))
    expected = np.exp(-found.times) - 0.9**found.steps
    np.testing.assert_allclose(found.distance, expected, atol=1e-12)
    np.testing.assert_allclose(found.share[1:], 1, atol=1e-7)
    assert found.kept and found.status == "holds" and found.kind == "certificate"


def test_on_a_convex_quadratic_the_bound_is_within_twice_the_distance():
    found = certified(quadratic(1.0, 0.5))
    assert np.all(found.share[1:] <= 1) and np.all(found.share[1:] >= 0.5)
    np.testing.assert_allclose(found.growth_rate, -0.5, rtol=1e-12)


def test_at_a_saddle_the_bound_is_its_closed_form():
    """H = diag(1, -1/2) from (1, 0.1): B = h/2 int exp((t - s)/2) |H g|(s) ds to first order in h."""
    found = certified(quadratic(1.0, -0.5, start=(1.0, 0.1), method=discrete.GradientDescent(0.05)))
    t = found.times
    np.testing.assert_allclose(found.amplification, np.exp(t / 2), rtol=1e-12)
    np.testing.assert_allclose(found.distance, np.hypot(np.exp(-t) - 0.95**found.steps,
                               0.1 * (np.exp(t / 2) - 1.025**found.steps)), atol=1e-11)  # fmt: skip
    sources = np.hypot(np.exp(-t), 0.1 * np.exp(t / 2) / 4) * np.exp(-t / 2)
    integral = np.concatenate([[0], np.cumsum(np.diff(t) * (sources[1:] + sources[:-1]) / 2)])
    np.testing.assert_allclose(found.bound[1:], 0.05 / 2 * (np.exp(t / 2) * integral)[1:], rtol=0.05)
    assert np.all(found.share <= 1)


@pytest.mark.parametrize("rate", [0.1, 1.3, 1.9, 2.2])
@pytest.mark.parametrize("eigenvalues", [(1.0, 0.2), (1.0, -0.5), (0.6, 0.0)])
def test_the_bound_is_never_below_the_distance_not_even_past_the_edge_of_stability(rate, eigenvalues):
    method = discrete.GradientDescent(rate / eigenvalues[0])
    found = certified(quadratic(*eigenvalues, method=method))
    assert found.kept and np.all(found.distance <= found.bound * (1 + 1e-9))


@pytest.mark.parametrize("along", ["both", "method"])
def test_a_lipschitz_constant_of_the_hessian_makes_a_certificate(along):
    found = comparisons.divergence_bound(on_waves(), "flow", lipschitz=8.0, along=along)
    assert found.kind == "certificate" and found.status == "holds"
    assert np.all(found.distance <= found.bound) and found.share[-1] > 0.05


def test_certificates_exceed_estimates_and_the_one_with_the_flow_is_the_smaller():
    estimate = comparisons.divergence_bound(on_waves(), "flow")
    both, alone = (
        comparisons.divergence_bound(on_waves(), "flow", lipschitz=8.0, along=along) for along in ("both", "method")
    )
    assert estimate.kind == "estimate" and estimate.kept
    assert np.all(estimate.bound[2:] < both.bound[2:]) and np.all(both.bound[2:] < alone.bound[2:])


def test_a_bound_that_leaves_its_tube_holds_until_then_and_is_infinite_after():
    wide = comparisons.divergence_bound(on_waves(), "flow", lipschitz=8.0)
    tube = float(wide.bound[5] + wide.bound[6]) / 2
    found = comparisons.divergence_bound(on_waves(), "flow", lipschitz=8.0, tube=tube)
    assert found.status == "holds until step 5: then the bound leaves the tube"
    np.testing.assert_array_equal(found.bound[:6], wide.bound[:6])
    assert np.all(np.isinf(found.bound[6:])) and np.all(found.share[6:] == 0) and found.kept


def test_a_lipschitz_constant_too_large_for_the_run_lets_the_bound_blow_up():
    found = comparisons.divergence_bound(on_waves(), "flow", lipschitz=1e4)
    assert found.status.endswith("then the bound grows beyond all numbers") and np.isinf(found.bound[-1])


def test_the_defect_of_gradient_descent_is_half_of_h_times_the_hessian_gradient_product():
    x, h = jnp.array([0.4, 0.3]), 1e-3
    defect = Defect(flows.GradientFlow(discrete.GradientDescent(h)), waves)
    following = x - h * jax.grad(waves)(x)
    expected = h / 2 * np.linalg.norm(jax.hessian(waves)(x) @ jax.grad(waves)(x))
    found = eqx.filter_jit(defect.of_method)(0, x, following)
    assert float(found @ WEIGHTS) == pytest.approx(float(expected), rel=2e-3)
    np.testing.assert_array_equal(defect.of_flow(0.0, x, x), np.zeros(3))


@pytest.mark.parametrize("order", [2, pytest.param(3, marks=pytest.mark.slow)])
@pytest.mark.slow
def test_beside_a_modified_flow_the_bound_has_its_order(order):
    bounds = []
    for h in (0.1, 0.05):
        make = partial(flows.ModifiedFlow, order=order)
        found = certified(quadratic(1.0, -0.5, method=discrete.GradientDescent(h), make=make))
        assert np.all(found.distance <= found.bound)
        bounds.append(found.bound[20 if h == 0.1 else 40])
    assert np.log2(bounds[0] / bounds[1]) == pytest.approx(order, abs=0.15)


@pytest.mark.slow
def test_momentum_beside_its_rescaled_gradient_flow_is_bounded_too():
    found = certified(quadratic(1.0, -0.5, method=discrete.HeavyBall(0.02, 0.5)))
    np.testing.assert_allclose(found.growth_rate, 1.0, rtol=1e-12)
    assert np.all(found.distance <= found.bound) and found.share[-1] > 0.3


def test_the_growth_rate_of_a_field_that_is_no_gradient_is_that_of_the_symmetric_part():
    x = jnp.array([0.3, 0.5])
    jacobian = np.array([[1, -2 * 0.5], [3, np.cos(0.5)]])
    rate = GrowthRate(Turning(discrete.GradientDescent(0.1)), waves)
    found, _ = eqx.filter_jit(lambda at: rate.measure(landscapes.Moment(at), rate.init(landscapes.Moment(at))))(x)
    assert float(found.value) == pytest.approx(np.linalg.eigvalsh((jacobian + jacobian.T) / 2)[-1], rel=1e-12)


def test_sampling_fewer_steps_changes_the_bound_by_about_what_is_said():
    each, fourth = (comparisons.divergence_bound(c, "flow") for c in (on_waves(), compared(waves, (0.4, 0.3), every=4)))
    np.testing.assert_array_equal(fourth.steps, each.steps[::4])
    apart = np.abs(fourth.bound - each.bound[::4])
    assert np.all(apart <= fourth.sampling_error + 1e-15) and apart[-1] > 0


def test_a_bound_has_units_and_is_that_of_the_stored_comparison(tmp_path):
    found = comparisons.divergence_bound(on_waves(), "flow")
    again = comparisons.divergence_bound(comparisons.load(on_waves().save(tmp_path / "run.nc")), "flow")
    np.testing.assert_array_equal(found.bound, again.bound)
    data = found.to_dataset()
    assert data.bound.units == "params" and data.growth_rate.units == "1 / time" and data.attrs["kind"] == "estimate"
    assert all(row.attrs["long_name"] and row.dims == ("step",) for row in data.data_vars.values())


def test_a_flow_with_a_state_of_its_own_is_refused():
    with pytest.raises(ValueError, match="`flow` must be a first-order equation of the params alone.*KovachkiStuart"):
        comparisons.bound_instruments(flows.KovachkiStuart(discrete.HeavyBall(0.1, 0.5)), waves)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"flow": "flaw"}, "`flow` 'flaw' is unknown; did you mean flow"),
        ({"along": "flow"}, "`along` must be 'both' or 'method', got 'flow'"),
        ({"lipschitz": -1.0}, "`lipschitz` must be a finite number from 0, or None for an estimate, got -1.0"),
        ({"lipschitz": np.inf}, "`lipschitz` must be a finite number"),
        ({"lipschitz": 1.0, "tube": 0.0}, "`tube` must exceed the distance at the start, 0, got 0.0"),
        ({"tube": 0.1}, "`tube` = 0.1 is where `lipschitz` is valid: give both, or neither"),
    ],
)
def test_misuse_is_refused_with_the_argument_and_the_remedy(settings, message):
    with pytest.raises(ValueError, match=message):
        comparisons.divergence_bound(on_waves(), **({"flow": "flow"} | settings))


def test_a_comparison_without_the_instruments_is_refused():
    bare = eqx.tree_at(lambda c: c.discrete.observations, on_waves(), {})
    with pytest.raises(ValueError, match="did not observe growth_rate and defect; run compare.*bound_instruments"):
        comparisons.divergence_bound(bare, "flow")
