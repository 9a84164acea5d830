"""What a comparison does not spend: compilations on another learning rate, memory on more steps."""

import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from comparison_cases import START, STEPS, bare, compared, compilations, heavy_ball, usual

import comparisons
import discrete
import flows
import landscapes


@pytest.fixture
def marched(monkeypatch):
    """All that the loop hands back, of each comparison made."""
    module, found = sys.modules["comparisons.compare"], []
    march = module.march
    monkeypatch.setattr(module, "march", lambda *args, **kwargs: found.append(march(*args, **kwargs)) or found[-1])
    return found


def test_a_second_comparison_with_another_learning_rate_compiles_nothing():
    # Run here, not taken from `usual`: jax forgets old compilations when there have been thousands.
    first = compared()
    with compilations() as compiled:
        second = compared(heavy_ball(0.07))
    assert not compiled
    assert second.divergence["modified"].distance[-1] != first.divergence["modified"].distance[-1]


def test_other_data_compile_nothing_and_another_closure_what_holds_the_loss():
    problem, method = landscapes.digits_mlp(widths=(4,), examples=40), discrete.GradientDescent(0.05)

    def compare(loss):
        with compilations() as compiled:
            found = comparisons.compare(method, {"flow": flows.GradientFlow(method)}, loss, problem.params, steps=4)
        return found.discrete.observations["loss"][-1], compiled

    first, _ = compare(problem.loss)
    other, compiled = compare(problem.loss.on(jnp.arange(30, 70) % 40))
    assert other == pytest.approx(first, rel=1e-12) and not compiled
    other, compiled = compare(landscapes.digits_mlp(widths=(4,), examples=60).loss.on(jnp.arange(20, 60)))
    assert abs(other - first) > 1e-3 * first and not compiled
    _, compiled = compare(lambda w: problem.loss(w))
    _, again = compare(lambda w: 2 * problem.loss(w))
    assert 0 < len(again) <= len(compiled)


def test_the_test_sees_a_compilation():
    with compilations() as compiled:
        jax.jit(lambda x: x + 1)(1.0)
    assert compiled


def test_what_is_carried_from_block_to_block_does_not_grow_with_the_steps(marched):
    compared()
    compared(steps=10 * STEPS, every=10)
    compared(steps=STEPS + 20)
    assert [found.done for found in marched] == [STEPS + 1, STEPS + 1, STEPS + 21]
    assert len({sum(leaf.nbytes for leaf in jax.tree.leaves(found.carries)) for found in marched}) == 1


def test_what_is_kept_of_a_sample_does_not_grow_with_the_parameters(marched):
    def loss(x):
        return 0.5 * jnp.sum(x**2)

    method = discrete.GradientDescent(0.1)
    for size in (2, 60):
        comparisons.compare(method, {"flow": flows.GradientFlow(method)}, loss, jnp.ones(size), steps=STEPS)
    small, large = (sum(np.asarray(leaf).nbytes for leaf in jax.tree.leaves(found.parts)) for found in marched)
    assert small == large


def test_the_cost_counts_what_each_side_spent():
    cost = usual().summary()["cost"]
    assert cost["discrete"]["gradients"] == STEPS
    # Below 64 parameters the Hessian is formed: a product for each parameter at each sample.
    products = len(START["a"]) + 1
    assert cost["discrete"]["of_which_measuring"] == cost["discrete"]["hessian_products"] == (STEPS + 1) * products
    modified = cost["flows"]["modified"]
    assert modified["solver_steps"] > 0 and modified["gradients"] > modified["solver_steps"]
    assert modified["hessian_products"] == modified["gradients"] + modified["of_which_measuring"]
    assert cost["flows"]["gradient flow"]["hessian_products"] == (STEPS + 1) * products


def test_instruments_do_not_change_the_run():
    assert set(bare().discrete.observations) == {"loss"} < set(usual().discrete.observations)
    np.testing.assert_array_equal(usual().discrete.observations["loss"], bare().discrete.observations["loss"])
    measured, unmeasured = (run.divergence["modified"].distance for run in (usual(), bare()))
    np.testing.assert_allclose(measured, unmeasured, rtol=1e-9, atol=1e-13)
