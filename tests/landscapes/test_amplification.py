"""The amplification of the gradient along the sharpest directions."""

import numpy as np

import discrete
import landscapes


def test_on_a_quadratic_gradient_descent_multiplies_each_slope_by_one_minus_its_curvature():
    problem = landscapes.quadratic(eigenvalues=(21.0, 15.0, 4.0, 1.0))
    observe = {"amplification": landscapes.Amplification(problem.loss, k=3)}
    found = discrete.run(
        discrete.GradientDescent(0.1), problem.loss, problem.params, steps=6, observe=observe
    ).observations
    assert np.all(np.isnan(found["amplification"][0]))
    np.testing.assert_allclose(found["amplification"][1:], np.tile([-1.1, -0.5, 0.6], (6, 1)), rtol=1e-8)
    np.testing.assert_allclose(found["amplification_curvature"], np.tile([21.0, 15.0, 4.0], (7, 1)), rtol=1e-10)
