"""Several starts of one loss in a single run: each moves as it would alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import landscapes


def test_the_loss_is_the_sum_and_its_gradient_each_ones_own():
    toy = landscapes.two_valleys()
    starts = [toy.params, toy.params + 0.3, toy.params - 0.2]
    together = landscapes.SideBySide(toy.loss)
    assert float(together(jnp.stack(starts))) == pytest.approx(sum(float(toy.loss(w)) for w in starts))
    np.testing.assert_allclose(
        jax.grad(together)(jnp.stack(starts)), [jax.grad(toy.loss)(w) for w in starts], rtol=1e-14
    )


def test_an_observable_of_one_becomes_one_of_each():
    problem = landscapes.deep_linear(depth=2, width=3, singular_values=(1.0,))
    many = [jnp.stack([weight, 2 * weight]) for weight in problem.params]
    rows = landscapes.SideBySide(problem.loss).each(landscapes.parameter_norm)(many)
    one = float(landscapes.parameter_norm(problem.params))
    np.testing.assert_allclose(rows, [one, 2 * one], rtol=1e-14)


@pytest.mark.parametrize("params", [[jnp.ones((2, 3)), jnp.ones((3, 3))], jnp.asarray(1.0)])
def test_leaves_without_a_common_leading_axis_are_refused(params):
    with pytest.raises(ValueError, match="one leading axis of the same length"):
        landscapes.SideBySide(lambda w: jnp.sum(w[0]))(params)
