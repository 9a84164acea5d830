"""A flow that cannot be followed says why, where, and what to do; nothing is recorded after that."""

import diffrax
import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array

import discrete
import flows
from flows.running.diagnosis import is_held_back
from flows.running.solve import flow_side

H, STEPS, EVERY = 0.1, 400, 10
METHOD = discrete.GradientDescent(H)


class Ground(eqx.Module):
    """L = sum of square x^2/2 + cube x^3/3 + root sqrt(x): one loss, one compilation, every way to fail."""

    square: Array = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.0)
    cube: Array = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.0)
    root: Array = eqx.field(converter=lambda v: jnp.asarray(v, float), default=0.0)

    def __call__(self, x):
        inside = jnp.where(self.root != 0, x, 1.0)
        return jnp.sum(self.square * x**2 / 2 + self.cube * x**3 / 3 + self.root * jnp.sqrt(inside))


def followed(loss, start, *, integrator=None, learning_rate=H):
    return flows.solve(
        flows.GradientFlow(discrete.GradientDescent(learning_rate)),
        loss,
        jnp.asarray(start, float),
        steps=STEPS,
        every=EVERY,
        observe={"loss": loss},
        keep_params=True,
        integrator=flows.explicit(max_steps=300) if integrator is None else integrator,
    )


def ends_cleanly(solution, samples):
    """Samples before the failure only, all finite, at their steps; the last params finite."""
    rows = [solution.times, solution.params, solution.observations["loss"]]
    return (
        solution.steps.tolist() == list(range(0, samples * EVERY, EVERY))
        and all(len(r) == samples and np.all(np.isfinite(r)) for r in rows)
        and bool(jnp.all(jnp.isfinite(solution.final_params)))
    )


def test_leaving_the_radius_is_divergence_at_the_sample_that_sees_it():
    """x = e^t is 10^6 away from 1 at t = log(10^6 + 1), step 138.2; samples are every tenth step."""
    solution = followed(Ground(square=-1.0), [1.0])
    assert solution.status == "diverged at step 140" and ends_cleanly(solution, 14)
    np.testing.assert_allclose(solution.params[:, 0], np.exp(solution.times), rtol=1e-8)
    np.testing.assert_array_equal(solution.final_params, solution.params[-1])


def test_a_blow_up_in_finite_time_is_divergence_at_its_step():
    """x' = x^2 from 0.3 ends at t = 1/0.3 = 3.33, step 33.3."""
    solution = followed(Ground(cube=-1.0), [0.3], integrator=flows.explicit(rtol=1e-6, atol=1e-9, max_steps=300))
    assert solution.status == "diverged at step 34" and ends_cleanly(solution, 4)
    np.testing.assert_allclose(solution.params[:, 0], 1 / (1 / 0.3 - solution.times), rtol=1e-4)


def test_the_step_limit_names_itself_and_where_it_struck():
    """Smooth, but 300 steps at this tolerance do not reach the first sample; the solution up to there is right."""
    tight = flows.explicit(rtol=1e-14, atol=1e-14, max_steps=300)
    solution = followed(Ground(square=[1.0, 2.0]), [3.0, 2.0], integrator=tight, learning_rate=1.0)
    assert solution.status.startswith("stopped: step limit: 300 solver steps between two samples at step ")
    assert solution.status.endswith("; raise max_steps or loosen rtol")
    assert solution.cost.solver_steps == 300 and ends_cleanly(solution, 1)
    step = float(solution.status.split("at step ")[1].split(";")[0])
    np.testing.assert_allclose(solution.final_params, np.exp([-step, -2 * step]) * [3.0, 2.0], rtol=2e-3)


def test_a_stiff_field_is_recognised_and_the_remedy_named_works():
    stiff = Ground(square=[1e5, 1.0])
    solution = followed(stiff, [1.0, 1.0])
    assert solution.status.startswith("stopped: too stiff for Tsit5: 300 solver steps between two samples at step 0.0")
    assert "by the rate 1.0e+05; use flows.stiff()" in solution.status and ends_cleanly(solution, 1)
    remedied = followed(stiff, [1.0, 1.0], integrator=flows.stiff())
    assert remedied.completed
    expected = np.exp(-np.outer(remedied.times, [1e5, 1.0]))
    np.testing.assert_allclose(remedied.params, expected, atol=1e-6)


HELD_BACK = {
    "Tsit5": (flows.explicit(), True),
    "Kvaerno5": (flows.stiff(), False),
    "Heun, constant": (flows.Integrator(diffrax.Heun(), diffrax.ConstantStepSize(), first_step=H), False),
}


@pytest.mark.parametrize(("integrator", "held_back"), HELD_BACK.values(), ids=HELD_BACK)
def test_only_an_adaptive_explicit_solver_is_sent_to_the_implicit_one(integrator, held_back):
    """An implicit one would be sent to itself; a constant step was chosen by the user."""
    side = flow_side(
        flows.GradientFlow(METHOD), Ground(1.0), jnp.ones(1), steps=1, observe=None, every=1, integrator=integrator
    )
    assert is_held_back(side) == held_back


def test_a_wall_where_the_field_ends_is_told_from_stiffness():
    """x' = -1/(2 sqrt(x)) from 1 reaches 0 at t = 4/3, step 13.3, with infinite speed."""
    solution = followed(Ground(root=1.0), [1.0])
    assert solution.status.startswith("stopped: the step of Tsit5 shrank to ")
    assert solution.status.endswith("at step 13.33: the field is not finite or not smooth nearby")
    assert ends_cleanly(solution, 2)


def test_a_gradient_that_is_not_finite_at_the_start_is_refused():
    with pytest.raises(ValueError, match="gradient of `loss` must be finite at the start"):
        followed(Ground(root=1.0), [0.0])


def test_a_field_that_is_not_finite_at_the_start_is_named():
    """x^(3/2) at 0 has the gradient 0 and an infinite Hessian, which the modified flow multiplies."""
    solution = flows.solve(
        flows.ModifiedFlow(METHOD, order=2),
        lambda x: jnp.sum(x**1.5),
        jnp.zeros(1),
        steps=STEPS,
        every=EVERY,
        observe={"loss": lambda x: jnp.sum(x**1.5)},
        keep_params=True,
    )
    assert solution.status.startswith("stopped: the field is not finite at step 0") and ends_cleanly(solution, 1)


def test_implicit_equations_without_a_solution_end_the_run_at_the_last_sample():
    """One backward Euler step of x' = x^2 with dt x = 0.5: y = x + dt y^2 has no real root once 4 dt x > 1."""
    backward = diffrax.ImplicitEuler(root_finder=diffrax.VeryChord(rtol=1e-6, atol=1e-9))
    constant = flows.Integrator(backward, diffrax.ConstantStepSize(), first_step=0.5)
    solution = followed(Ground(cube=-1.0), [1.0], integrator=constant)
    assert solution.status.startswith("stopped: ImplicitEuler could not solve its implicit equations at step 5")
    assert ends_cleanly(solution, 1)
    np.testing.assert_array_equal(solution.final_params, [1.0])
