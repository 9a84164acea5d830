"""Instruments that watch are shown every step of every side, and what a moment costs is counted."""

import jax.numpy as jnp
import lineax
import numpy as np
import pytest

import discrete
import flows
import landscapes
from flows.flow import FieldCost

TOY = landscapes.two_valleys()
METHOD = discrete.GradientDescent(0.02)
STEPS, EVERY = 12, 4


class Longest(landscapes.Observable):
    """The longest step since the last sample, itself included."""

    def init(self, moment):
        return jnp.zeros(())

    def measure(self, moment, carry):
        reading = landscapes.Reading(carry, "params")
        return reading, jnp.linalg.norm(moment.displacement)

    def watch(self, moment, carry):
        return jnp.maximum(carry, jnp.linalg.norm(moment.displacement))


class Steered(flows.SDEFlow):
    """Gradient flow with a little noise."""

    method: discrete.Method
    order = None
    substeps = 2

    @property
    def field_cost(self):
        return FieldCost(gradients=1)

    def drift(self, loss, t, state):
        return -landscapes.gradient_and_product(loss, state, state)[0]

    def diffusion(self, loss, t, state):
        return lineax.DiagonalLinearOperator(1e-3 * jnp.ones_like(state))


SIDES = {
    "gradient flow": flows.GradientFlow(METHOD),
    "central flow": flows.CentralFlow(METHOD),
    "a stochastic flow": Steered(METHOD),
}
# What it costs to be asked for the step to come, so many times.
OF_LOOKING_AHEAD = {
    # Six new slopes in a step of Tsit5, at least one step, and one slope more in the first of all.
    "gradient flow": lambda cost, looks: cost.measuring_gradients in range(6 * looks + 1, 20 * looks, 6),
    "central flow": lambda cost, looks: cost.measuring_products > looks < cost.measuring_gradients,
    "a stochastic flow": lambda cost, looks: cost.measuring_gradients == looks * Steered.substeps,
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name == "central flow" else name for name in SIDES]
)
def test_a_flow_shows_every_step(name):
    every, watched = (
        flows.solve(SIDES[name], TOY.loss, TOY.params, steps=STEPS, every=each, observe=observe, keep_params=True)
        for each, observe in ((1, None), (EVERY, {"longest": Longest()}))
    )
    lengths = np.linalg.norm(np.diff(np.asarray(every.params), axis=0), axis=1).reshape(-1, EVERY).max(axis=1)
    np.testing.assert_allclose(watched.observations["longest"], [0, *lengths], rtol=1e-6)
    assert OF_LOOKING_AHEAD[name](watched.cost, STEPS + 1) and every.cost.measuring_gradients == 0


def test_a_method_shows_every_step_and_what_it_took_is_counted():
    run = discrete.run(METHOD, TOY.loss, TOY.params, steps=STEPS, every=EVERY, observe={"longest": Longest()})
    path = discrete.run(METHOD, TOY.loss, TOY.params, steps=STEPS, keep_params=True).path
    lengths = np.linalg.norm(np.diff(path, axis=0), axis=1).reshape(-1, EVERY).max(axis=1)
    np.testing.assert_allclose(run.observations["longest"], [0, *lengths], rtol=1e-12)
    assert (run.cost.gradients, run.cost.measuring_gradients) == (STEPS, STEPS + 1)


def test_columns_say_what_the_observations_are():
    observe = {"s": landscapes.Sharpness(TOY.loss), "norm": landscapes.GradientNorm(TOY.loss)}
    run = discrete.run(METHOD, TOY.loss, TOY.params, steps=2, observe=observe)
    roles = {name: (column.instrument, column.role, column.units) for name, column in run.columns.items()}
    assert roles == {
        "s": ("s", "value", "loss / params^2"),
        "s_residual": ("s", "diagnostic", ""),
        "s_hessian_products": ("s", "cost", ""),
        "norm": ("norm", "value", "loss / params"),
    }
    assert set(run.values()) == {"s", "norm"} and set(run.told()) == {"s", "s_residual", "norm"}


def test_a_velocity_is_one_evaluation_of_the_field():
    class Speed(landscapes.Observable):
        def measure(self, moment, carry):
            return landscapes.Reading(jnp.linalg.norm(moment.velocity)), carry

    found = flows.solve(SIDES["gradient flow"], TOY.loss, TOY.params, steps=6, every=2, observe={"speed": Speed()})
    assert (found.cost.measuring_gradients, found.cost.measuring_products) == (4, 0)
