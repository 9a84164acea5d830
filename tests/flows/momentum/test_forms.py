"""One equation in several forms, written twice: with and without the Hessian, on a clock and on another, as a limit."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import discrete
import flows
import landscapes

TOY = landscapes.two_valleys()
SLOPE = np.asarray(jax.grad(TOY.loss)(TOY.params))
H, B = 0.04, 0.6
TIGHT = flows.explicit(rtol=1e-12, atol=1e-14)
VELOCITY = jnp.array([0.3, -0.7])


def path(flow) -> np.ndarray:
    solution = flows.solve(flow, TOY.loss, TOY.params, steps=40, every=5, keep_params=True, integrator=TIGHT)
    return np.asarray(solution.params)


DAMPED = {
    "look-ahead points": (flows.HighResolution, discrete.NesterovLookAhead(H, B)),
    "symplectic Euler": (flows.HighResolution, discrete.SymplecticEuler(H, 0.5)),
    "convex, look-ahead points": (flows.HighResolutionConvex, discrete.nesterov_convex_look_ahead(H)),
    "convex, Nesterov": (flows.HighResolutionConvex, discrete.nesterov_convex(H, 5.0)),
    "convex, third": (functools.partial(flows.HighResolutionConvex, order=3), discrete.nesterov_convex(H, 5.0)),
}


@pytest.mark.parametrize(("cls", "method"), DAMPED.values(), ids=DAMPED)
@pytest.mark.slow
def test_a_gradient_in_the_velocity_stands_for_the_hessian_in_the_equation(cls, method):
    of_gradients, of_products = cls(method, form="gradient"), cls(method, form="hessian")
    products = 3 * (of_gradients.order == 3)
    assert of_gradients.field_cost == flows.FieldCost(gradients=1, hessian_products=products)
    assert of_products.field_cost == flows.FieldCost(gradients=1, hessian_products=products + 1)
    found, expected = path(of_gradients), path(of_products)
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-10)
    assert np.linalg.norm(expected[-1] - expected[0]) > 0.5


def test_heavy_ball_has_no_hessian_to_eliminate():
    ball = discrete.HeavyBall(H, B)
    assert flows.HighResolution(ball, form="hessian").field_cost == flows.FieldCost(gradients=1)


TWO_STEP = {
    "heavy ball": discrete.HeavyBall(H, B),
    "Nesterov": discrete.Nesterov(H, B),
    "two-step": discrete.TwoStep(H, B, 0.25),
}


@pytest.mark.parametrize("method", TWO_STEP.values(), ids=TWO_STEP)
def test_the_flow_on_the_invariant_manifold_is_the_modified_flow_of_order_two(method):
    manifold, modified = flows.InvariantManifold(method), flows.ModifiedFlow(method, order=2)
    found, expected = (flow.vector_field(TOY.loss, 0.0, TOY.params) for flow in (manifold, modified))
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert np.linalg.norm(found + SLOPE / (1 - B)) > 0.1


@pytest.mark.parametrize("method", TWO_STEP.values(), ids=TWO_STEP)
def test_the_flow_on_the_invariant_manifold_descends_its_potential(method):
    manifold = flows.InvariantManifold(method)
    descent = -jax.grad(lambda x: manifold.potential(TOY.loss, x))(TOY.params) / (1 - B)
    np.testing.assert_allclose(manifold.vector_field(TOY.loss, 0.0, TOY.params), descent, rtol=1e-12)


def test_from_rest_the_manifold_is_reached_as_if_from_behind():
    start = flows.InvariantManifold(discrete.HeavyBall(H, B), "rest").init(TOY.loss, flows.Start(TOY.params))
    np.testing.assert_allclose(start - TOY.params, H * B / (1 - B) ** 2 * SLOPE, rtol=1e-13)


def test_the_friction_of_polyak_is_that_of_the_strong_convexity_and_a_little_less():
    """(1 - b)/sqrt(h) = 2 sqrt(m)/(1 + sqrt(m h))."""
    flow = flows.Polyak(discrete.heavy_ball_strongly_convex(H, 2.0))
    assert flow.friction == pytest.approx(2 * 2**0.5 / (1 + (2 * H) ** 0.5), rel=1e-14)
    limit = flows.LowResolution(flow.method).acceleration(TOY.loss, 0.0, TOY.params, VELOCITY)
    found = flow.acceleration(TOY.loss, 0.0, TOY.params, VELOCITY)
    np.testing.assert_allclose(found - limit, (2 * 2**0.5 - flow.friction) * VELOCITY, rtol=1e-12)


def test_without_a_look_ahead_the_equation_of_muehlebach_and_jordan_is_polyaks():
    ball = discrete.HeavyBall(H, B)
    found, expected = (
        flow.acceleration(TOY.loss, 0.0, TOY.params, VELOCITY)
        for flow in (flows.MuehlebachJordan(ball), flows.Polyak(ball))
    )
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "method",
    [*TWO_STEP.values(), discrete.muehlebach_jordan(H, 0.5), discrete.muehlebach_jordan(H, 0.5, 1.5)],
    ids=[*TWO_STEP, "Nesterov's", "longer steps"],
)
def test_semi_implicit_euler_of_the_equation_of_muehlebach_and_jordan_is_the_method(method):
    flow, step = flows.MuehlebachJordan(method), H**0.5
    velocity = VELOCITY + step * flow.acceleration(TOY.loss, 0.0, TOY.params, VELOCITY)
    params, displacement = method.step(jax.grad(TOY.loss), TOY.params, step * VELOCITY)
    np.testing.assert_allclose(TOY.params + step * velocity, params, rtol=1e-14)
    np.testing.assert_allclose(step * velocity, displacement, rtol=1e-13)


def test_in_the_time_of_its_paper_the_equation_of_muehlebach_and_jordan_has_their_coefficients():
    """q'' = -2 d q' - (1/L) grad f(q + beta q') with d = 1/(sqrt(k) + 1), beta = (sqrt(k) - 1)/(sqrt(k) + 1)."""
    sharpness, root = 1 / H, (1 / (H * 0.5)) ** 0.5
    flow = flows.MuehlebachJordan(discrete.muehlebach_jordan(H, 0.5))
    found = H * flow.acceleration(TOY.loss, 0.0, TOY.params, VELOCITY / H**0.5)
    ahead = TOY.params + (root - 1) / (root + 1) * VELOCITY
    np.testing.assert_allclose(found, -2 / (root + 1) * VELOCITY - jax.grad(TOY.loss)(ahead) / sharpness, rtol=1e-13)


@pytest.mark.parametrize("r", [1.0, 3.0, 5.0])
def test_the_convex_equation_starts_as_its_series(r):
    """X = x_0 - t^2 grad L(x_0)/(2 (1 + r)) + O(t^4)."""
    flow = flows.SuBoydCandes(discrete.nesterov_convex(H, r))
    at_start = flow.acceleration(TOY.loss, 0.0, TOY.params, 0 * VELOCITY)
    np.testing.assert_allclose(at_start, -SLOPE / (1 + r), rtol=1e-15)
    soon = flow.acceleration(TOY.loss, 1e-6, TOY.params, -1e-6 * SLOPE / (1 + r))
    np.testing.assert_allclose(soon, at_start, rtol=1e-12)


def test_a_restarted_piece_starts_as_the_first():
    flow = flows.SpeedRestart(discrete.RestartedNesterov(H))
    state = flow.init(TOY.loss, flows.Start(TOY.params))
    later = flow.switched(TOY.loss, jnp.asarray(2.0), state._replace(velocity=VELOCITY))
    found, expected = flow.vector_field(TOY.loss, 2.0, later), flow.vector_field(TOY.loss, 0.0, state)
    np.testing.assert_array_equal(found.velocity, expected.velocity)
    np.testing.assert_allclose(expected.velocity, -SLOPE / 4, rtol=1e-15)
    np.testing.assert_array_equal(later.velocity, 0)
    assert float(later.since) == 2.0
