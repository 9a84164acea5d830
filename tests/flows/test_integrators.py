"""Any diffrax solver and controller integrates a flow, and its work is counted as it is."""

import functools

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flow_cases import TOY

import discrete
import flows
import flows.flow
import landscapes
from flows.running.integrate import reveals_evaluations

H, STEPS = 0.1, 40
METHOD = discrete.GradientDescent(H)
FLOW = flows.GradientFlow(METHOD)
PID = diffrax.PIDController(1e-10, 1e-12)
CALLS = []


def counted(x):
    """The toy, noting every evaluation of its gradient."""
    jax.debug.callback(lambda: CALLS.append(1))
    return TOY.loss(x)


def constant(solver, step=H):
    return flows.Integrator(solver, diffrax.ConstantStepSize(), first_step=step)


INTEGRATORS = {
    "the default": flows.explicit(),
    "Euler, constant": constant(diffrax.Euler()),
    "Heun, constant": constant(diffrax.Heun()),
    "Heun, constant, beyond a sample": constant(diffrax.Heun(), 7 * H),
    "Dopri8, adaptive": flows.Integrator(diffrax.Dopri8(), PID),
    # Without a safety factor a fifth of the steps is rejected.
    "RKC2": flows.stabilized(rtol=1e-7, atol=1e-10, order=2),
    "ROCK4": flows.stabilized(rtol=1e-9, atol=1e-12),
    "Tsit5, adaptive, unsafe": flows.Integrator(diffrax.Tsit5(), diffrax.PIDController(1e-10, 1e-12, safety=1.0)),
}


def solution_with(integrator, flow=FLOW):
    return flows.solve(flow, counted, TOY.params, steps=STEPS, every=5, integrator=integrator, keep_params=True)


@functools.cache
def counted_solution(name):
    """The solution, and how often the gradient was evaluated for it."""
    CALLS.clear()
    solution = solution_with(INTEGRATORS[name])
    jax.effects_barrier()
    return solution, len(CALLS) - 1  # once to check the start


@pytest.mark.parametrize("name", INTEGRATORS)
def test_the_cost_is_the_number_of_gradients_the_solver_asked_for(name):
    solution, calls = counted_solution(name)
    assert solution.cost.gradients == calls and solution.cost.hessian_products == 0


def test_a_modified_flow_pays_a_gradient_and_a_product_per_evaluation():
    cost = solution_with(INTEGRATORS["Heun, constant"], flows.ModifiedFlow(METHOD)).cost
    assert (cost.gradients, cost.hessian_products, cost.solver_steps) == (2 * STEPS, 2 * STEPS, STEPS)


def test_euler_with_the_learning_rate_as_step_is_gradient_descent():
    descent = discrete.run(METHOD, TOY.loss, TOY.params, steps=STEPS, every=5, keep_params=True)
    euler, calls = counted_solution("Euler, constant")
    np.testing.assert_allclose(euler.params, descent.params, rtol=0, atol=1e-14)
    assert calls == descent.cost.gradients


def test_heun_with_a_constant_step_is_heun_by_hand():
    gradient, x = jax.jit(jax.grad(TOY.loss)), TOY.params
    for _ in range(STEPS):
        slope = gradient(x)
        x = x - H / 2 * (slope + gradient(x - H * slope))
    np.testing.assert_allclose(counted_solution("Heun, constant")[0].final_params, x, rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    ("name", "atol"), [("Dopri8, adaptive", 2e-9), ("Tsit5, adaptive, unsafe", 2e-9), ("ROCK4", 2e-8)]
)
def test_an_adaptive_solver_agrees_with_the_default(name, atol):
    found, expected = counted_solution(name)[0], counted_solution("the default")[0]
    np.testing.assert_allclose(found.params, expected.params, atol=atol)


def test_dtmax_of_the_controller_is_kept_across_samples():
    capped = flows.Integrator(diffrax.Tsit5(), diffrax.PIDController(1e-3, 1e-3, dtmax=0.01))
    assert solution_with(capped).cost.solver_steps == pytest.approx(STEPS * H / 0.01, abs=STEPS // 5 + 1)


WRONG = {
    "rtol 0": (lambda: flows.explicit(rtol=0.0), r"`rtol` must lie in \(0, 1\)"),
    "rtol nan": (lambda: flows.stiff(rtol=float("nan")), r"`rtol` must lie in \(0, 1\)"),
    "atol -1": (lambda: flows.explicit(atol=-1.0), r"`atol` in \[0, 1\)"),
    "max_steps 0": (lambda: flows.explicit(max_steps=0), "`max_steps` must be at least 1, got 0"),
    "no step": (
        lambda: flows.Integrator(diffrax.Euler(), diffrax.ConstantStepSize()),
        "`first_step` is missing: a constant step size has to be given",
    ),
    "a step of 0": (lambda: constant(diffrax.Euler(), 0.0), "`first_step` must be positive, got 0.0"),
    "a negative step": (lambda: constant(diffrax.Euler(), -0.1), "`first_step` must be positive, got -0.1"),
}


@pytest.mark.parametrize(("make", "message"), WRONG.values(), ids=WRONG)
def test_an_integrator_out_of_range_is_refused_by_name(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_another_tolerance_compiles_nothing(caplog):
    tight, _ = counted_solution("the default")
    caplog.clear()
    with jax.log_compiles():
        loose = solution_with(flows.explicit(rtol=1e-4, atol=1e-6))
    assert "Finished XLA compilation" not in caplog.text
    assert loose.cost.solver_steps < tight.cost.solver_steps / 2


def test_an_implicit_solver_does_not_reveal_its_gradients():
    assert not reveals_evaluations(flows.stiff())
    assert not reveals_evaluations(constant(diffrax.ReversibleHeun()))


def test_a_norm_that_knows_the_leaves_sees_them():
    start = {"a": jnp.ones(2), "b": jnp.ones(3)}
    controller = diffrax.PIDController(1e-6, 1e-8, norm=lambda y: jnp.max(jnp.abs(y["a"])))
    found = flows.solve(
        FLOW,
        lambda x: jnp.sum(x["a"] ** 2) + jnp.sum(x["b"] ** 4),
        start,
        steps=4,
        integrator=flows.Integrator(diffrax.Tsit5(), controller),
    )
    assert found.completed
    np.testing.assert_allclose(found.final_params["a"], np.exp(-2 * 4 * H), rtol=1e-6)


def test_a_jump_that_a_controller_knows_is_met_whatever_the_samples_are():
    """y' = -1 until 0.33, then 0: a sample every 0.1 cuts steps short, and no step may go over the jump."""

    class Halted(flows.ODEFlow):
        method: discrete.Method
        order = None
        field_cost = flows.flow.FieldCost(gradients=1)

        def vector_field(self, loss, t, state):
            return jnp.where(t < 0.33, -1.0, 0.0) * jnp.ones_like(state)

    controller = diffrax.ClipStepSizeController(diffrax.PIDController(1e-3, 1e-6), jump_ts=[0.33])
    found = flows.solve(
        Halted(METHOD), TOY.loss, jnp.ones(2), steps=8, integrator=flows.Integrator(diffrax.Tsit5(), controller)
    )
    np.testing.assert_allclose(found.final_params, 1 - 0.33, atol=1e-12)


def test_late_times_in_float32_do_not_stop_a_flow():
    """Where 100 roundings of the time are longer than a step, the last step of an interval must not be stretched."""
    bowl = landscapes.quadratic(eigenvalues=(100.0, 1.0), rotate=False)
    found = flows.solve(FLOW, bowl.loss, bowl.params.astype(jnp.float32), steps=40_000, every=20_000)
    assert found.completed


@pytest.mark.parametrize("solver", [diffrax.ImplicitEuler(), diffrax.Kvaerno5()], ids=lambda s: type(s).__name__)
def test_an_implicit_solver_with_constant_steps_needs_tolerances_of_its_own(solver):
    with pytest.raises(ValueError, match="`solver` .* takes the tolerances of its equations from `controller`"):
        constant(solver)
