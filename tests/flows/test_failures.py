"""A flow that cannot be followed says why, where, and what to do; nothing is recorded after that."""

import diffrax
import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array

import discrete
import flows
from flows.running.diagnosis import is_held_back, jump, remedy
from flows.running.jumps import jump_along
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


def magnitude(x):
    return jnp.sum(jnp.abs(x))


def lasso(w, size=magnitude):
    """Its minimum is (1.5, 0)."""
    return 0.5 * jnp.sum((w - jnp.array([2.0, 0.2])) ** 2) + 0.5 * size(w)


def cone(w):
    return jnp.linalg.norm(w) + 0.1 * jnp.sum(w**2)


KINKS = {
    "|x|": (magnitude, [0.33], [0.0]),
    "lasso": (lasso, [1.0, 1.0], [1.5, 0.0]),
    "|w|": (cone, [0.3, 0.4], [0.0, 0.0]),
    "a kink elsewhere": (lambda x: jnp.sum(jnp.abs(x - 1.0)), [1.4, 1.4 + 1e-3], [1.0, 1.0]),
}


QUICK = ("|w|", "lasso")


def slid(loss, start, integrator=None):
    return flows.solve(
        flows.GradientFlow(discrete.GradientDescent(0.05)),
        loss,
        jnp.asarray(start),
        steps=200,
        every=40,
        integrator=integrator,
    )


@pytest.mark.parametrize(
    ("loss", "start", "end"),
    [case if name in QUICK else pytest.param(*case, marks=pytest.mark.slow) for name, case in KINKS.items()],
    ids=KINKS,
)
def test_a_kink_to_which_both_sides_lead_is_named_and_what_is_named_works(loss, start, end):
    for integrator in (flows.explicit(max_steps=3000), flows.stiff(max_steps=1000)):
        status = slid(loss, start, integrator).status
        assert status.startswith("stopped: the field jumps at step ") and "a kink of the loss" in status
        assert "raise max_steps" not in status and "dtmax" not in status
    assert not slid(loss, start, flows.explicit(max_steps=30_000)).completed, "more steps do not help"
    named = float(status.split("atol=")[1].split(")")[0])
    followed = slid(loss, start, flows.explicit(rtol=1e-3, atol=named))
    assert followed.completed
    np.testing.assert_allclose(followed.final_params, end, atol=20 * named)
    method = discrete.run(discrete.GradientDescent(0.05), loss, jnp.asarray(start), steps=200)
    assert method.completed and np.linalg.norm(method.final_params - jnp.asarray(end)) < 0.1


def test_the_smoothing_that_is_named_works():
    """sqrt(x^2 + 1e-6) in the place of |x|."""
    smooth = slid(lambda w: lasso(w, lambda x: jnp.sum(jnp.sqrt(x**2 + 1e-6))), [1.0, 1.0])
    assert smooth.completed
    np.testing.assert_allclose(smooth.final_params, [1.5, 0.0], atol=1e-3)


@pytest.mark.parametrize("width", [1e-3, 1e-5])
def test_a_steep_but_smooth_turn_is_stiff_and_no_jump(width):
    status = slid(lambda x: jnp.sum(jnp.sqrt(x**2 + width**2)), [0.33], flows.explicit(max_steps=300)).status
    assert "too stiff" in status and "jumps" not in status


def along(slope, at, duration=1e-3):
    """The jump on the line from -1 to 1 in the time from -1/duration."""
    return jump_along(lambda x: slope(x), jnp.asarray(at), jnp.ones_like(jnp.asarray(at)), duration, 1.0)


def test_a_jump_is_told_from_steepness_rounding_and_the_end_of_a_domain():
    """By its size, 2; tanh(x/1e-7) turns as fast as it may, sin's differences are rounding, sqrt ends at 0."""
    assert along(jnp.sign, [1e-4]).size == pytest.approx(2.0)
    assert along(lambda x: jnp.sign(x - 1e-4) + 1e3 * x, [0.0]).size == pytest.approx(2.0, rel=1e-3)
    for smooth in (lambda x: jnp.tanh(x / 1e-7), jnp.sin, lambda x: 1e3 + 1e-13 * jnp.sin(1e9 * x), jnp.sqrt):
        assert along(smooth, [1e-4]) is None
    assert along(jnp.sign, [0.5]) is None


def test_a_jump_of_a_derivative_alone_is_not_called_a_kink_of_the_loss():
    """L = x + max(x, 0)^2/2: the gradient is continuous, the field of order 2 jumps by h/2 with the Hessian."""
    flow = flows.ModifiedFlow(METHOD, order=2)
    side = flow_side(
        flow, lambda x: jnp.sum(x + jnp.where(x > 0, x**2, 0) / 2), jnp.ones(1), steps=1, observe=None, every=1
    )
    begun = side.begin()
    there = begun._replace(state=jnp.array([1e-6]), memory=begun.memory._replace(step=jnp.array(1e-6)))
    assert jump(side, there).size == pytest.approx(H / 2, rel=1e-3)
    assert "a kink" not in remedy(side, there) and "flows.GradientFlow" in remedy(side, there)
