"""optax transformations that ask for the loss: its value, its gradient, the function itself."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import discrete

START, STEPS = jnp.zeros(2), 20
ASKING = {
    "lbfgs": optax.lbfgs(),
    "polyak_sgd": optax.polyak_sgd(),
    "reduce_on_plateau": optax.chain(optax.sgd(0.05), optax.contrib.reduce_on_plateau()),
    "sgd": optax.sgd(0.05),
}


def bowl(x):
    return jnp.sum((x - 1) ** 2 * jnp.array([1.0, 10.0]))


def by_optax(transformation):
    transformation = optax.with_extra_args_support(transformation)

    def step(carry, _):
        x, state = carry
        value, slope = jax.value_and_grad(bowl)(x)
        update, state = transformation.update(slope, state, x, value=value, grad=slope, value_fn=bowl)
        return (optax.apply_updates(x, update), state), None

    return jax.lax.scan(step, (START, transformation.init(START)), None, STEPS)[0][0]


@pytest.mark.parametrize("name", ASKING)
def test_the_iterates_are_those_of_a_loop_that_hands_over_everything(name):
    run = discrete.run(discrete.from_optax(ASKING[name]), bowl, START, steps=STEPS)
    assert run.completed
    np.testing.assert_allclose(run.final_params, by_optax(ASKING[name]), rtol=1e-10)


def test_lookahead_moves_its_own_kind_of_params():
    start = optax.LookaheadParams.init_synced(START)
    run = discrete.run(
        discrete.from_optax(optax.lookahead(optax.sgd(0.05), 5, 0.5)), lambda p: bowl(p.fast), start, steps=STEPS
    )
    fast = slow = np.zeros(2)
    for n in range(1, STEPS + 1):
        fast = fast - 0.05 * 2 * np.array([1.0, 10.0]) * (fast - 1)
        if n % 5 == 0:
            fast = slow = slow + 0.5 * (fast - slow)
    np.testing.assert_allclose(run.final_params.fast, fast, rtol=1e-12)
    np.testing.assert_allclose(run.final_params.slow, slow, rtol=1e-12)
