"""What every method must do, over the table of cases."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from method_cases import METHODS, MINIMISER, START, bowl, cast, compilations, flat, samples_of

import discrete
import discrete.catalogue
from discrete import Method

every_method = pytest.mark.parametrize("case", METHODS.values(), ids=METHODS)


def descendants(cls: type) -> set[type]:
    return {cls}.union(*map(descendants, cls.__subclasses__()))


def test_every_method_of_the_package_has_a_case():
    concrete = {cls for cls in descendants(Method) if not inspect.isabstract(cls)}
    classes = {cls for cls in concrete if cls.__module__.startswith("discrete.")}
    makers = {f for _, f in inspect.getmembers(discrete, inspect.isfunction) if returns_a_method(f)}
    assert {discrete.GradientDescent, discrete.from_optax} <= classes | makers
    assert not {Method, discrete.MomentumMethod, discrete.mode, discrete.oscillating_range} & (classes | makers)
    named = {getattr(maker, "func", maker) for maker in discrete.catalogue.METHODS.values()}
    assert classes | makers | named == {case.covers for case in METHODS.values()}


def returns_a_method(function) -> bool:
    returned = inspect.signature(function).return_annotation
    return inspect.isclass(returned) and issubclass(returned, Method)


@every_method
def test_a_minimiser_is_a_rest_point(case):
    run = samples_of(case.make(0.1), MINIMISER)
    np.testing.assert_allclose(flat(run.final_params), flat(MINIMISER), rtol=1e-15)


@every_method
def test_a_step_keeps_the_structure_of_params_and_state(case):
    method = case.make(0.1).at(3)
    before = START, method.init(START)
    after = jax.eval_shape(lambda params, state: method.step(jax.grad(bowl), params, state), *before)
    assert jax.tree.structure(before) == jax.tree.structure(after)
    assert [x.shape for x in jax.tree.leaves(before)] == [x.shape for x in jax.tree.leaves(after)]


@every_method
def test_a_nested_pytree_and_its_flat_vector_take_the_same_path(case):
    method = case.make(0.1)
    start, unravel = ravel_pytree(START)
    nested = samples_of(method)
    level = discrete.run(method, lambda w: bowl(unravel(w)), start, steps=30)
    assert nested.observations["loss"][-1] < 0.5 * nested.observations["loss"][0]
    np.testing.assert_allclose(flat(nested.final_params), flat(level.final_params), rtol=1e-13)


@every_method
def test_float32_stays_float32_and_near_the_float64_run(case):
    method = case.make(0.1)
    single, double = samples_of(method, cast(START, jnp.float32)), samples_of(method)
    kinds = {leaf.dtype for leaf in jax.tree.leaves((single.final_params, single.final_state, single.observations))}
    assert {kind for kind in kinds if kind.kind == "f"} == {jnp.dtype(jnp.float32)}
    np.testing.assert_allclose(flat(single.final_params), flat(double.final_params), atol=3e-6)


@every_method
def test_a_second_run_compiles_nothing_and_heeds_its_learning_rate(case):
    first = case.make(0.1)
    second = case.make(0.05) if case.keeps_rate else first
    one = samples_of(first)
    with compilations() as compiled:
        two = samples_of(second, every=15)
    assert not compiled
    assert np.array_equal(flat(one.final_params), flat(two.final_params)) != case.keeps_rate


def test_a_first_run_on_a_new_loss_does_compile():
    with compilations() as compiled:
        discrete.run(discrete.GradientDescent(0.1), lambda x: 0.5 * x @ x, jnp.ones(2), steps=2)
    assert compiled


@every_method
def test_two_successive_points_determine_the_state_or_an_error_says_they_do_not(case):
    method = case.make(0.1)
    before, after = samples_of(method, every=9, steps=27), samples_of(method, every=14, steps=28)
    if method.has_preconditioner or isinstance(method, discrete.RestartedNesterov | discrete.TimeAveraged):
        with pytest.raises(ValueError, match="start it at rest"):
            method.state_after(jax.grad(bowl), before.final_params, after.final_params)
    else:
        state = method.state_after(jax.grad(bowl), before.final_params, after.final_params)
        np.testing.assert_allclose(flat(state), flat(after.final_state), rtol=1e-9, atol=1e-15)
