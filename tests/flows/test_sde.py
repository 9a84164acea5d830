"""The contract of flows that are stochastic differential equations, on the Ornstein-Uhlenbeck process."""

from typing import Any

import jax
import jax.numpy as jnp
import lineax
import numpy as np
import pytest

import discrete
import flows
import landscapes
from flows.flow import FieldCost

RATE, NOISE, H, STEPS, MANY = 1.5, 0.4, 0.02, 50, 40_000


class OrnsteinUhlenbeck(flows.SDEFlow):
    """dX = -grad L dt + s dW, in every coordinate by itself."""

    method: Any
    order = 1
    noise: Any = NOISE
    substeps = 4

    @property
    def field_cost(self) -> FieldCost:
        return FieldCost(gradients=1)

    def drift(self, loss, t, state):
        return jax.tree.map(jnp.negative, jax.grad(loss)(state))

    def diffusion(self, loss, t, state):
        return lineax.DiagonalLinearOperator(self.noise * jnp.ones_like(state))


def bowl(x):
    return RATE * jnp.sum(x**2) / 2


METHOD = discrete.GradientDescent(H)


def solved(every: int = 10, key: Any = 0, flow: Any = None, size: int = MANY, **more: Any) -> discrete.Trajectory:
    flow = OrnsteinUhlenbeck(METHOD) if flow is None else flow
    return flows.solve(flow, bowl, jnp.ones(size), steps=STEPS, every=every, key=key, **more)


def test_mean_and_variance_are_those_of_the_stepped_process():
    """Coordinates are independent paths: their moments obey the recursion of Euler and Maruyama's method exactly."""
    run = solved(keep_params=True)
    dt = H / OrnsteinUhlenbeck.substeps
    shrink, steps = 1 - RATE * dt, run.steps * OrnsteinUhlenbeck.substeps
    mean = shrink**steps
    variance = NOISE**2 * dt * (1 - shrink ** (2 * steps)) / (1 - shrink**2)
    rows = np.asarray(run.params)
    np.testing.assert_allclose(rows.mean(axis=1), mean, atol=5 * np.sqrt(variance.max() / MANY))
    np.testing.assert_allclose(rows.var(axis=1)[1:], variance[1:], rtol=5 * np.sqrt(2 / MANY))


def test_a_path_follows_from_its_key_however_it_is_sampled():
    often, seldom = solved(every=1, size=5), solved(every=25, size=5)
    np.testing.assert_array_equal(often.final_params, seldom.final_params)
    same, other = solved(key=jax.random.key(0), size=5), solved(key=1, size=5)
    np.testing.assert_array_equal(same.final_params, seldom.final_params)
    assert np.all(np.abs(np.asarray(other.final_params - same.final_params)) > 1e-6)


def test_without_noise_it_is_eulers_method():
    run = solved(flow=OrnsteinUhlenbeck(METHOD, 0.0), size=2)
    expected = (1 - RATE * H / 4) ** (4 * STEPS)
    np.testing.assert_allclose(run.final_params, expected, rtol=1e-12)


def test_what_it_claims_is_weak_and_what_it_costs_is_counted():
    run = solved(size=5)
    assert OrnsteinUhlenbeck(METHOD).claim == flows.Claimed(1, "weak")
    assert (run.cost.gradients, run.cost.solver_steps) == (4 * STEPS, 4 * STEPS)


def test_one_that_leaves_says_at_which_step():
    class Pushed(OrnsteinUhlenbeck):
        def drift(self, loss, t, state):
            return 100 * state

    run = solved(every=1, flow=Pushed(METHOD), size=2)
    assert run.status.kind == "diverged" and run.status.step == len(run.steps)


def test_instruments_see_it_like_any_other_side():
    observe = {"norm": landscapes.parameter_norm, "moved": Displacement()}
    run = solved(every=1, size=3, observe=observe)
    np.testing.assert_allclose(run.observations["norm"][0], np.sqrt(3))
    assert np.all(run.observations["moved"] > 0)


class Displacement(landscapes.Observable):
    """|X(t_{n+1}) - X(t_n)|."""

    def measure(self, moment, carry):
        return landscapes.Reading(jnp.linalg.norm(moment.displacement), "params"), carry


def test_a_key_that_is_none_is_refused():
    with pytest.raises(ValueError, match="`key` must be a whole number of 64 bits or one key of jax"):
        solved(key="seed", size=2)
