"""The orders that the second-order equations of momentum claim, from rest, each in its own clock."""

import functools
from collections.abc import Callable
from typing import NamedTuple

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


def strongly_convex(make):
    return functools.partial(make, strong_convexity=STRONG_CONVEXITY)


heavy_ball = strongly_convex(discrete.heavy_ball_strongly_convex)
look_ahead = strongly_convex(discrete.nesterov_strongly_convex_look_ahead)


def in_roots(method, flow, problem=BOWL, after=0.0) -> comparisons.Order:
    rates = [(2 / steps) ** 2 for steps in (40, 60, 100, 200)]
    return comparisons.measure_order(
        method, flow, problem.loss, problem.params, learning_rates=rates, duration=2.0, start="rest", after=after
    )


class Claim(NamedTuple):
    """method: learning rate -> method.  order: in sqrt(h), from rest, of its flow on the problem, after some time."""

    method: Callable
    flow: Callable
    order: int
    problem: landscapes.Problem
    after: float = 0.0


third = functools.partial(flows.HighResolutionConvex, order=3)

CLAIMS = {
    "low resolution, look-ahead points": Claim(look_ahead, flows.LowResolution, 1, BOWL),
    "low resolution, heavy ball": Claim(heavy_ball, flows.LowResolution, 1, BOWL),
    "high resolution, look-ahead points": Claim(look_ahead, flows.HighResolution, 2, BOWL),
    "high resolution, heavy ball": Claim(heavy_ball, flows.HighResolution, 2, BOWL),
    "high resolution, Nesterov": Claim(
        strongly_convex(discrete.nesterov_strongly_convex), flows.HighResolution, 2, BOWL
    ),
    "high resolution, symplectic Euler": Claim(strongly_convex(discrete.SymplecticEuler), flows.HighResolution, 1, TOY),
    "convex, look-ahead points": Claim(discrete.nesterov_convex_look_ahead, flows.HighResolutionConvex, 2, TOY),
    "convex, Nesterov": Claim(discrete.nesterov_convex, flows.HighResolutionConvex, 2, TOY),
    "convex, Nesterov, r = 5": Claim(lambda h: discrete.nesterov_convex(h, 5.0), flows.HighResolutionConvex, 2, TOY),
    "convex, third, look-ahead points": Claim(discrete.nesterov_convex_look_ahead, third, 3, TOY),
    "convex, third, Nesterov": Claim(discrete.nesterov_convex, third, 3, TOY, after=1.0),
    "convex, third, look-ahead points, r = 5": Claim(
        lambda h: discrete.nesterov_convex_look_ahead(h, 5.0), third, 3, TOY
    ),
    "convex, third, Nesterov, r = 5": Claim(lambda h: discrete.nesterov_convex(h, 5.0), third, 3, TOY, after=1.0),
    "Su-Boyd-Candes, quadratic": Claim(discrete.nesterov_convex, flows.SuBoydCandes, 1, BOWL),
    "Su-Boyd-Candes, r = 5": Claim(lambda h: discrete.nesterov_convex(h, 5.0), flows.SuBoydCandes, 1, TOY),
    "Polyak": Claim(lambda h: discrete.HeavyBall(h, 1 - 1.5 * h**0.5), flows.Polyak, 1, TOY),
    "Muehlebach-Jordan": Claim(lambda h: discrete.Nesterov(h, 1 - 1.5 * h**0.5), flows.MuehlebachJordan, 1, TOY),
}


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
@pytest.mark.slow
def test_the_distance_from_rest_closes_at_the_claimed_order_in_the_root(claim):
    found = in_roots(claim.method, claim.flow, claim.problem, claim.after)
    assert found.claimed == claim.order and found.holds, str(found)
    if claim.problem is BOWL:
        np.testing.assert_allclose(found.regime, np.sqrt(found.learning_rates * SHARPNESS), rtol=1e-9)


@pytest.mark.parametrize("method", [look_ahead, heavy_ball], ids=["Nesterov", "heavy ball"])
def test_the_published_velocity_of_shi_et_al_costs_an_order(method):
    found = in_roots(method, lambda m: flows.HighResolution(m, start="published"))
    assert found.claimed == 1 and 0.7 < found.slope < 1.15


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
@pytest.mark.slow
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


def test_a_comparison_states_the_claim_as_a_power_of_the_learning_rate():
    convex, matched = discrete.nesterov_convex(0.01), heavy_ball(0.01)
    flow = comparisons.compare(convex, {"su-boyd-candes": flows.SuBoydCandes(convex)}, TOY, steps=2)
    ball = comparisons.compare(matched, {"high-resolution": flows.HighResolution(matched)}, TOY, steps=2)
    assert (flow.orders, ball.orders) == ({"su-boyd-candes": 0.5}, {"high-resolution": 1.0})
    assert flow_label("su-boyd-candes", 0.5) == "su boyd candes flow, $O(h^{0.5})$"
