"""Hyper-parameters out of range are refused by name, and every kind of number in range is taken."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import discrete
import landscapes

PROBLEM = landscapes.quadratic()
METHODS = {
    "gradient descent": discrete.GradientDescent,
    "heavy ball": discrete.HeavyBall,
    "nesterov": discrete.Nesterov,
}


@pytest.mark.parametrize("make", METHODS.values(), ids=METHODS)
@pytest.mark.parametrize("rate", [0, 0.0, -0.1, float("nan"), float("inf"), "0.1", None, jnp.asarray(-0.1)], ids=repr)
def test_a_learning_rate_that_is_not_positive_and_finite_is_refused(make, rate):
    with pytest.raises(ValueError, match="`learning_rate` must be a positive finite number or a function of the step"):
        make(rate)


@pytest.mark.parametrize("make", [discrete.HeavyBall, discrete.Nesterov])
@pytest.mark.parametrize("momentum", [1, 1.0, -0.1, float("nan"), "0.9", None, np.float32(1)], ids=repr)
def test_a_momentum_outside_zero_to_one_is_refused(make, momentum):
    with pytest.raises(ValueError, match=r"`momentum` must lie in \[0, 1\)"):
        make(0.1, momentum)


@pytest.mark.parametrize("rate", [0.5, np.float64(0.5), np.float32(0.5), jnp.asarray(0.5)], ids=repr)
def test_every_kind_of_number_gives_the_same_run(rate):
    run = discrete.run(discrete.HeavyBall(rate, 0), PROBLEM.loss, PROBLEM.params, steps=5)
    expected = discrete.run(discrete.HeavyBall(0.5, 0.0), PROBLEM.loss, PROBLEM.params, steps=5)
    np.testing.assert_array_equal(run.final_params, expected.final_params)
    assert run.times.tolist() == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]


def test_a_method_can_be_built_from_a_traced_learning_rate():
    def final_loss(rate):
        x = PROBLEM.params
        return PROBLEM.loss(discrete.GradientDescent(rate).step(jax.grad(PROBLEM.loss), x, None)[0])

    rates = jnp.array([0.1, 0.5, 1.0])
    np.testing.assert_allclose(jax.vmap(final_loss)(rates), [final_loss(float(rate)) for rate in rates], rtol=1e-14)
