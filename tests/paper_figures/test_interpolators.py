"""Interpolators against problems with known answers, and potentials against finite differences."""

import numpy as np
import pytest

from paper_figures.frame import interpolators
from paper_figures.linear_networks.azulay_2021 import linear_neuron

INPUTS, TRUTH = np.random.default_rng(0).standard_normal((5, 8)), np.array([1.0, -2.0, *np.zeros(6)])
TARGETS = INPUTS @ TRUTH


def test_least_norms_of_one_equation_are_the_largest_coefficient_and_the_projection():
    inputs, targets = np.array([[1.0, -3.0, 2.0]]), np.array([6.0])
    np.testing.assert_allclose(interpolators.least_l1(inputs, targets), [0, -2, 0], atol=1e-12)
    np.testing.assert_allclose(interpolators.least_l2(inputs, targets), 6 / 14 * inputs[0], rtol=1e-12)


def test_a_quadratic_potential_gives_least_l2():
    square = lambda theta: (float(theta @ theta) / 2, theta, np.eye(len(theta)))  # noqa: E731
    found = interpolators.least_potential(square, INPUTS, TARGETS)
    np.testing.assert_allclose(found, interpolators.least_l2(INPUTS, TARGETS), rtol=1e-10)


@pytest.mark.parametrize("depth", [2, 3, 5])
@pytest.mark.parametrize("scale", [1e-3, 1.0])
def test_the_interpolator_of_least_q_meets_its_conditions(depth, scale):
    found = interpolators.least_potential(interpolators.network_potential(scale, depth), INPUTS, TARGETS)
    np.testing.assert_allclose(INPUTS @ found, TARGETS, rtol=1e-10)
    assert interpolators.off_row_space(INPUTS, interpolators.network_dual(found / scale, depth)) < 1e-10
    assert interpolators.off_row_space(INPUTS, interpolators.network_dual(found / scale * 1.1, depth)) > 1e-4


@pytest.mark.parametrize("depth", [3, 4, 7])
def test_the_dual_of_a_deep_network_inverts_h(depth):
    s, p = np.linspace(-0.99, 0.99, 21), depth / (depth - 2)
    h = (1 - s) ** -p - (1 + s) ** -p
    np.testing.assert_allclose(interpolators.network_dual(h, depth), s, atol=1e-14)


@pytest.mark.parametrize(
    "potential",
    [
        interpolators.network_potential(0.3, 2),
        interpolators.network_potential(0.3, 4),
        linear_neuron.neuron_potential(np.eye(8)[0], 0.0),
        linear_neuron.neuron_potential(np.eye(8)[0], 2.0),
    ],
)
def test_gradients_and_hessians_are_those_of_the_value(potential):
    random = np.random.default_rng(1)
    theta, step = random.standard_normal(8), 1e-5 * random.standard_normal(8)
    (up, gradient_up, _), (down, gradient_down, _) = potential(theta + step), potential(theta - step)
    _, gradient, hessian = potential(theta)
    assert up - down == pytest.approx(2 * gradient @ step, rel=1e-6)
    np.testing.assert_allclose(gradient_up - gradient_down, 2 * hessian @ step, rtol=1e-5, atol=1e-14)


def test_the_potential_of_a_neuron_is_the_published_one():
    start, theta, delta = np.eye(3)[0], np.array([0.5, -1.0, 2.0]), 0.7
    x, shift = np.linalg.norm(theta), np.sqrt(theta @ theta + delta**2 / 4)
    published = (x**2 - delta / 2 * (delta / 2 + shift)) * np.sqrt(shift - delta / 2) / x
    linear = -1.5 * np.sqrt(np.sqrt(1 + delta**2 / 4) - delta / 2) * start @ theta
    assert linear_neuron.neuron_potential(start, delta)(theta)[0] == pytest.approx(published + linear, rel=1e-12)


def test_the_certificate_of_one_equation_is_the_second_coefficient_over_the_first():
    inputs = np.array([[1.0, -4.0, 3.0]])
    assert interpolators.certificate(inputs, interpolators.least_l1(inputs, np.ones(1))) == pytest.approx(3 / 4)


def test_a_potential_that_the_solver_cannot_follow_is_an_error():
    kink = lambda theta: (float(np.abs(theta).sum()), np.sign(theta), np.eye(len(theta)))  # noqa: E731
    with pytest.raises(RuntimeError, match="did not converge"):
        interpolators.least_potential(kink, INPUTS, TARGETS)
