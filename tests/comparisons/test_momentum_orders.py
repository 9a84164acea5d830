"""The orders that the second-order equations of momentum claim, from rest, each in its own clock."""

import jax
import numpy as np
import pytest

import comparisons
import discrete
import flows
import landscapes
from comparisons.plot import flow_label

STRONG_CONVEXITY, SHARPNESS = 1.0, 9.0
BOWL = landscapes.quadratic(eigenvalues=np.linspace(STRONG_CONVEXITY, SHARPNESS, 4))
TOY = landscapes.two_valleys()


def with_matched_momentum(cls):
    def make(h: float):
        root = (STRONG_CONVEXITY * h) ** 0.5
        return cls(h, (1 - root) / (1 + root))

    return make


look_ahead, heavy_ball = with_matched_momentum(discrete.NesterovLookAhead), with_matched_momentum(discrete.HeavyBall)


def in_roots(method, flow, problem=BOWL) -> comparisons.Order:
    rates = [(2 / steps) ** 2 for steps in (40, 60, 100, 200)]
    return comparisons.measure_order(
        method, flow, problem.loss, problem.params, learning_rates=rates, duration=2.0, start="rest"
    )


@pytest.mark.parametrize("method", [look_ahead, heavy_ball], ids=["Nesterov", "heavy ball"])
@pytest.mark.parametrize("flow", [flows.LowResolution, flows.HighResolution])
def test_the_resolution_is_the_order(method, flow):
    found = in_roots(method, flow)
    assert found.claimed == (2 if flow is flows.HighResolution else 1) and found.holds, str(found)
    np.testing.assert_allclose(found.regime, np.sqrt(found.learning_rates * SHARPNESS), rtol=1e-9)


@pytest.mark.parametrize("method", [look_ahead, heavy_ball], ids=["Nesterov", "heavy ball"])
def test_the_published_velocity_of_shi_et_al_costs_an_order(method):
    found = in_roots(method, lambda m: flows.HighResolution(m, start="published"))
    assert found.claimed == 1 and 0.7 < found.slope < 1.15


@pytest.mark.parametrize("problem", [BOWL, TOY], ids=["quadratic", "toy"])
def test_the_equation_of_su_boyd_and_candes_is_of_order_one_in_the_root(problem):
    assert in_roots(discrete.nesterov_convex, flows.SuBoydCandes, problem).holds


@pytest.mark.parametrize(
    ("method", "published"),
    [
        (lambda h: discrete.HeavyBall(h, 0.5), 1),
        (lambda h: discrete.Nesterov(h, 0.6), 1),
        (lambda h: discrete.Nesterov(h, 0.5), 2),
        (lambda h: discrete.TwoStep(h, 0.4, 0.2), 1),
    ],
    ids=["heavy ball", "Nesterov", "Nesterov at 1/2", "two-step"],
)
def test_the_corrected_velocity_of_kovachki_and_stuart_has_order_two_after_the_transient(method, published):
    rates = [float(h) for h in np.geomspace(0.1, 0.03, 4) * 0.16 / 12]
    slopes = [
        comparisons.measure_order(
            method,
            lambda m, start=start: flows.KovachkiStuart(m, start=start),
            TOY.loss,
            TOY.params,
            learning_rates=rates,
            duration=0.5,
            start="rest",
            after=0.25,
        ).slope
        for start in ("corrected", "published")
    ]
    np.testing.assert_allclose(slopes, [2, published], atol=0.15)


def test_damping_along_the_hessian_is_all_that_tells_nesterov_from_heavy_ball():
    momentum = look_ahead(0.01).momentum
    nesterov, ball = (
        flows.HighResolution(cls(0.01, momentum)) for cls in (discrete.NesterovLookAhead, discrete.HeavyBall)
    )
    x, v = TOY.params, jax.random.normal(jax.random.key(0), TOY.params.shape)
    difference = nesterov.acceleration(TOY.loss, 0.0, x, v) - ball.acceleration(TOY.loss, 0.0, x, v)
    np.testing.assert_allclose(difference, -0.1 * jax.hessian(TOY.loss)(x) @ v, rtol=1e-12)


def test_su_boyd_and_candes_start_without_singularity():
    flow = flows.SuBoydCandes(discrete.nesterov_convex(0.01))
    at_start = flow.acceleration(TOY.loss, 0.0, TOY.params, 0 * TOY.params)
    np.testing.assert_allclose(at_start, -jax.grad(TOY.loss)(TOY.params) / 4, rtol=1e-15)


def test_along_the_convex_flow_the_loss_falls_at_least_like_the_theorem_says():
    method = discrete.nesterov_convex(1 / SHARPNESS)
    solution = flows.solve(
        flows.SuBoydCandes(method), BOWL.loss, BOWL.params, steps=300, every=5, observe={"loss": BOWL.loss}
    )
    bound = 2 * float(np.sum(np.asarray(BOWL.params) ** 2)) / solution.times[1:] ** 2
    assert np.all(solution.observations["loss"][1:] <= bound)


WRONG = {
    "a constant momentum": (lambda: flows.SuBoydCandes(discrete.Nesterov(0.1, 0.9)), "describes nesterov_convex"),
    "r of zero": (lambda: flows.SuBoydCandes(discrete.nesterov_convex(0.1), 0.0), "`r` must be positive"),
    "a scheduled rate": (lambda: flows.SuBoydCandes(discrete.nesterov_convex(lambda n: 0.1)), "has a schedule"),
    "gradient descent": (lambda: flows.KovachkiStuart(discrete.GradientDescent(0.1)), "not GradientDescent"),
    "a schedule": (lambda: flows.KovachkiStuart(discrete.nesterov_convex(0.1)), "has a schedule"),
    "the other coordinates": (lambda: flows.HighResolution(discrete.Nesterov(0.1, 0.9)), "not Nesterov"),
    "no momentum": (lambda: flows.LowResolution(discrete.HeavyBall(0.1, 0.0)), "`momentum` must be positive"),
}


@pytest.mark.parametrize(("make", "message"), WRONG.values(), ids=WRONG)
def test_a_method_that_the_equation_does_not_describe_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_comparison_states_the_claim_as_a_power_of_the_learning_rate():
    convex, matched = discrete.nesterov_convex(0.01), heavy_ball(0.01)
    flow = comparisons.compare(convex, {"su-boyd-candes": flows.SuBoydCandes(convex)}, TOY, steps=2)
    ball = comparisons.compare(matched, {"high-resolution": flows.HighResolution(matched)}, TOY, steps=2)
    assert (flow.orders, ball.orders) == ({"su-boyd-candes": 0.5}, {"high-resolution": 1.0})
    assert flow_label("su-boyd-candes", 0.5) == "su boyd candes flow, $O(h^{0.5})$"
