"""The implicit integrator: matrix-free, at many parameters and at stiffness that stops the explicit one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import discrete
import flows
import landscapes


@pytest.mark.slow
def test_twenty_thousand_parameters_of_a_stiff_quadratic_follow_the_closed_form():
    """Rates 0.1 to 10,000, time 10: a dense Jacobian would take 3.2 GB, the explicit solver 33,000 steps."""
    rates = jnp.geomspace(0.1, 1e4, 20_000)
    flow = flows.GradientFlow(discrete.GradientDescent(0.1))
    start = jnp.cos(jnp.arange(20_000.0))
    solution = flows.solve(
        flow,
        lambda x: 0.5 * jnp.sum(rates * x**2),
        start,
        steps=100,
        every=50,
        integrator=flows.stiff(rtol=1e-2, atol=1e-4),
    )
    assert solution.completed and solution.cost.solver_steps < 100
    np.testing.assert_allclose(solution.final_params, start * jnp.exp(-10 * rates), atol=1e-3)


def test_the_stiff_valley_of_rosenbrock_agrees_with_radau():
    problem = landscapes.rosenbrock()
    gradient, hessian = jax.jit(jax.grad(problem.loss)), jax.jit(jax.hessian(problem.loss))
    flow = flows.GradientFlow(discrete.GradientDescent(0.1))
    solution = flows.solve(
        flow, problem.loss, problem.params, steps=100, every=20, integrator=flows.stiff(), keep_params=True
    )
    reference = solve_ivp(
        lambda t, x: -np.asarray(gradient(jnp.asarray(x))),
        (0, 10),
        problem.params,
        "Radau",
        solution.times,
        jac=lambda t, x: -np.asarray(hessian(jnp.asarray(x))),
        rtol=1e-10,
        atol=1e-12,
    )
    assert solution.completed
    np.testing.assert_allclose(solution.params, reference.y.T, atol=2e-6)
