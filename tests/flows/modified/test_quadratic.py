"""The modified equation of a quadratic, summed: its slow root, and where the series stops converging."""

import numpy as np
import pytest

import discrete
from discrete.descent.tableaux import HEUN, KUTTA_4
from flows.modified import convergence_radius, slow_root
from flows.modified.quadratic import tall_coefficients

H = 0.1
B = 0.25
TWO_STEP = {
    "gradient descent": (discrete.GradientDescent(H), 0.0, 0.0),
    "heavy ball": (discrete.HeavyBall(H, B), B, 0.0),
    "nesterov": (discrete.Nesterov(H, B), B, B),
    "look-ahead points": (discrete.NesterovLookAhead(H, B), B, B),
    "any other": (discrete.TwoStep(H, B, 0.5), B, 0.5),
}
RADII = {
    "gradient descent": (discrete.GradientDescent(H), 1.0),
    "heavy ball": (discrete.HeavyBall(H, B), (1 - np.sqrt(B)) ** 2),
    "heavy ball, much momentum": (discrete.HeavyBall(H, 0.81), 0.01),
    "nesterov": (discrete.Nesterov(H, B), ((1 - B) / (1 + B)) ** 2),
    "nesterov, much momentum": (discrete.Nesterov(H, 0.9), (0.1 / 1.9) ** 2),
    "look-ahead points": (discrete.NesterovLookAhead(H, B), ((1 - B) / (1 + B)) ** 2),
    "look-ahead beyond the momentum": (discrete.TwoStep(H, 0.1, 1.0), 0.45),  # a complex pair, of size (1 - b)/(1 + a)
    "heun": (discrete.RungeKutta(H, HEUN), np.sqrt(2)),  # roots of 1 - z + z^2/2
}


@pytest.mark.parametrize(("method", "b", "a"), TWO_STEP.values(), ids=TWO_STEP)
@pytest.mark.parametrize("product", [0.01, 0.1, 0.3, 0.9, 1.7, 3.0])
def test_the_slow_root_satisfies_its_characteristic_equation(method, b, a, product):
    root = slow_root(method, product / H)
    assert abs(root**2 - (1 + b - (1 + a) * product) * root + b - a * product) < 1e-12


@pytest.mark.parametrize(("method", "b", "a"), TWO_STEP.values(), ids=TWO_STEP)
def test_it_is_one_without_curvature_and_falls_from_there(method, b, a):
    roots = [slow_root(method, product / H) for product in (0.0, 1e-3, 2e-3)]
    np.testing.assert_allclose(roots, [1 - product / (1 - b) for product in (0, 1e-3, 2e-3)], atol=3e-5)


@pytest.mark.parametrize(("method", "radius"), RADII.values(), ids=RADII)
def test_within_the_radius_the_series_sums_to_the_logarithm_of_the_slow_root(method, radius):
    product = radius / 5
    series = sum(c * (-product) ** k for k, c in enumerate(tall_coefficients(method, 10), start=1))
    assert series == pytest.approx(np.log(slow_root(method, product / H)), rel=1e-7)


def test_the_series_converges_beyond_the_point_where_the_fast_root_vanishes():
    """With b = 0.1 and a = 1 that is b/a = 0.1; the radius is 0.45."""
    method, product = RADII["look-ahead beyond the momentum"][0], 0.2
    series = sum(c * (-product) ** k for k, c in enumerate(tall_coefficients(method, 10), start=1))
    assert series == pytest.approx(np.log(slow_root(method, product / H)), rel=1e-3)


@pytest.mark.parametrize(("method", "radius"), RADII.values(), ids=RADII)
def test_the_radius_has_its_closed_form(method, radius):
    assert convergence_radius(method) == pytest.approx(radius, rel=1e-9)


@pytest.mark.parametrize("name", ["gradient descent", "heavy ball", "nesterov"])
def test_successive_coefficients_grow_as_the_inverse_of_the_radius(name):
    """Their ratio tends to 1/R like 1 - c/n: one Richardson step takes the 1/n away."""
    method, radius = RADII[name]
    ratios = np.abs(np.divide(*[np.array(tall_coefficients(method, 11))[s] for s in (slice(1, None), slice(-1))]))
    assert 10 * ratios[-1] - 9 * ratios[-2] == pytest.approx(1 / radius, rel=0.05)


def test_a_runge_kutta_step_multiplies_by_its_stability_polynomial():
    z = 0.7
    root = slow_root(discrete.RungeKutta(H, KUTTA_4), z / H)
    assert root == pytest.approx(1 - z + z**2 / 2 - z**3 / 6 + z**4 / 24, abs=1e-12)


def test_beyond_its_branch_points_the_root_of_heavy_ball_is_continued_from_above():
    """With b = 1/4 at 0.25 and 2.25: between them of size sqrt b, beyond them the root that grows."""
    between, beyond = (slow_root(discrete.HeavyBall(H, B), product / H) for product in (1.0, 3.0))
    assert between == pytest.approx(0.125 - 1j * np.sqrt(B - 0.125**2))
    assert beyond == pytest.approx((-1.75 - np.sqrt(1.75**2 - 1)) / 2)
