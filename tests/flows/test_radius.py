"""How far the series of a flow reaches, against closed forms on a mode and against what a run does beyond it."""

import jax.numpy as jnp
import numpy as np
import pytest

import discrete
import flows
import landscapes
from flows.modified.quadratic import pair_radius, slow_root, tall_coefficients
from flows.running.radius import beyond_radius

H = 0.1
GD, HEAVY, NESTEROV = discrete.GradientDescent(H), discrete.HeavyBall(H, 0.81), discrete.Nesterov(H, 0.5)
RADII = {
    "gradient descent": (flows.ModifiedFlow(GD, order=3), 1.0),
    "heavy ball": (flows.ModifiedFlow(HEAVY, order=2), (1 - 0.9) ** 2),
    "Nesterov": (flows.ModifiedFlow(NESTEROV, order=4, start="rest"), (0.5 / 1.5) ** 2),
    "iterates": (flows.IterateFlow(GD, order=2), 1.0),
    "leading error": (flows.LeadingError(GD), 1.0),
    "the penalty of momentum": (flows.InvariantManifold(HEAVY), (1 - 0.9) ** 2),
    "heavy ball in sqrt(h)": (flows.HighResolution(HEAVY), (1 + 0.9) ** 2),
    "Nesterov in sqrt(h)": (flows.HighResolution(NESTEROV), 1.0),
}
NONE = {
    "gradient flow": flows.GradientFlow(GD),
    "order 1": flows.ModifiedFlow(GD, order=1),
    "order 1 of iterates": flows.IterateFlow(GD, order=1),
    "optimal": flows.ModifiedFlow(GD, order="optimal"),
    "edge flow": flows.EdgeFlow(GD, order=2),
    "central flow": flows.CentralFlow(GD, order=2),
    "principal flow": flows.PrincipalFlow(GD),
    "inertia": flows.KovachkiStuart(HEAVY),
    "a schedule": flows.SuBoydCandes(discrete.nesterov_convex(H)),
}


@pytest.mark.parametrize(("flow", "radius"), RADII.values(), ids=RADII)
def test_beyond_the_radius_and_not_within_it_there_is_something_to_know(flow, radius):
    assert flow.series_radius == pytest.approx(radius, rel=1e-6)
    assert beyond_radius(flow, 0.99 * radius / H) is None
    for sharpness in (1.01 * radius / H, -1.01 * radius / H):
        told = beyond_radius(flow, sharpness)
        assert told is not None and "stops converging" in told
    named = float(told.split("a learning rate below ")[1])
    assert 0.97 * H < named < H


@pytest.mark.parametrize("flow", NONE.values(), ids=NONE)
def test_a_flow_without_a_series_in_h_has_no_radius(flow):
    assert flow.series_radius is None and beyond_radius(flow, 1e9) is None


@pytest.mark.parametrize("method", [HEAVY, NESTEROV], ids=["heavy ball", "Nesterov"])
def test_within_the_pair_radius_and_not_beyond_it_the_logarithm_of_both_roots_is_analytic(method):
    """(log r)^2, summed over both roots and followed around a circle, comes back to itself only within the radius."""

    def returns(radius: float) -> bool:
        logs = None
        for angle in np.linspace(0, 2 * np.pi, 4001):
            z = radius * np.exp(1j * angle)
            roots = np.roots([complex(c) for c in method.characteristic(z)])
            now = np.log(roots)
            if logs is not None:
                now = now if abs(roots - np.exp(logs)).sum() <= abs(roots[::-1] - np.exp(logs)).sum() else now[::-1]
                now = now + 2j * np.pi * np.round((logs - now).imag / (2 * np.pi))
            first, logs = (now if logs is None else first), now
        return abs(np.sum(logs**2) - np.sum(first**2)) < 1e-6

    radius = pair_radius(method)
    assert radius is not None and returns(0.95 * radius) and not returns(1.05 * radius)


def worst(method, z: float, known: list, steps: int) -> float:
    """max |r^n - exp(n s)| on a mode started on the slow manifold, s the series of log r with these coefficients."""
    root = slow_root(method, z / H)
    series = sum(c * (-z) ** (k + 1) for k, c in enumerate(known))
    n = np.arange(steps + 1)
    return float(np.abs(root**n - np.exp(series * n)).max() / np.abs(root**n).max())


@pytest.mark.parametrize(
    "method",
    [GD, *(pytest.param(method, marks=pytest.mark.slow) for method in (HEAVY, NESTEROV))],
    ids=["gradient descent", "heavy ball", "Nesterov"],
)
def test_within_the_radius_orders_2_to_4_are_closer_to_a_mode_than_gradient_flow(method):
    radius = flows.ModifiedFlow(method, order=2).series_radius
    known = [tall_coefficients(method, order) for order in (1, 2, 3, 4)]
    for z in np.geomspace(0.01, 0.99, 25) * radius:
        for sign in (1, -1):
            plain, *higher = (worst(method, sign * z, coefficients, 20) for coefficients in known)
            assert max(higher) < plain


@pytest.mark.parametrize("method", [GD, HEAVY, NESTEROV], ids=["gradient descent", "heavy ball", "Nesterov"])
def test_beyond_it_order_3_is_farther_from_a_growing_mode_than_gradient_flow(method):
    """Where the curvature is negative, from about twice the radius on."""
    radius = flows.ModifiedFlow(method, order=3).series_radius
    third, first = (worst(method, -2.5 * radius, tall_coefficients(method, order), 20) for order in (3, 1))
    assert third > first


def test_a_flow_that_fails_beyond_its_radius_says_so_and_what_it_names_works():
    """Rosenbrock at h S = 9: order 4 is stopped there; gradient flow and the learning rate that it names are not."""
    problem = landscapes.rosenbrock()
    few = flows.explicit(rtol=1e-6, atol=1e-8, max_steps=2000)

    def followed(flow):
        return flows.solve(flow, problem.loss, problem.params, steps=20, integrator=few)

    method = discrete.GradientDescent(6e-3)
    solution = followed(flows.ModifiedFlow(method, order=4))
    assert (
        not solution.completed and "is beyond 1, where the series of ModifiedFlow stops converging" in solution.status
    )
    assert "stiff" not in solution.status and "max_steps" not in solution.status
    named = float(solution.status.split("a learning rate below ")[1])
    assert followed(flows.GradientFlow(method)).completed
    assert followed(flows.ModifiedFlow(discrete.GradientDescent(named), order=4)).completed


@pytest.mark.slow
def test_a_start_that_the_series_moves_away_diverges_with_the_reason():
    """Heavy ball from rest on w^4/4: the series of the start throws it off at once."""
    flow = flows.ModifiedFlow(discrete.HeavyBall(0.05, 0.9), order=4, start="rest")
    few = flows.explicit(rtol=1e-6, atol=1e-8, max_steps=500)
    solution = flows.solve(flow, lambda w: jnp.sum(w**4) / 4, jnp.ones(1), steps=10, integrator=few)
    assert not solution.completed and "is beyond 0.263" in solution.status.reason and "stiff" not in solution.status
