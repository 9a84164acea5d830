"""What every flow must do, over the table of cases."""

import inspect
import logging

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flow_cases import FLOWS, NEST, STEPPED, TOY, bowl, solved
from jax.flatten_util import ravel_pytree

import discrete
import flows
from flows import Flow
from flows.running.slow_manifold import slow_manifold_state
from flows.running.stepped import SteppedFlow

every_flow = pytest.mark.parametrize("case", FLOWS.values(), ids=FLOWS)
START = jax.tree.map(lambda leaf: leaf + 0.5, NEST)
H = 2.0**-7


def flat(tree) -> np.ndarray:
    return np.asarray(ravel_pytree(tree)[0])


def descendants(cls: type) -> set[type]:
    return {cls}.union(*map(descendants, cls.__subclasses__()))


def test_every_flow_of_the_package_has_a_case():
    classes = {cls for cls in descendants(Flow) - {Flow} if cls.__module__.startswith("flows.")}
    classes = {cls for cls in classes if not inspect.isabstract(cls)}
    assert classes == {case.covers for case in (FLOWS | STEPPED).values()}
    assert {case.covers for case in STEPPED.values()} == {cls for cls in classes if issubclass(cls, SteppedFlow)}


@every_flow
def test_a_minimiser_is_a_rest_point(case):
    flow = case.make(0.1)
    velocity = flow.vector_field(bowl, 1.0, flow.init(bowl, flows.Start(NEST)))
    np.testing.assert_array_equal(flat(velocity), 0)


@every_flow
def test_the_field_has_the_structure_and_dtype_of_the_state(case):
    flow = case.make(0.1)
    state = flow.init(bowl, flows.Start(jax.tree.map(lambda leaf: leaf.astype(jnp.float32), START)))
    velocity = jax.eval_shape(lambda state: flow.vector_field(bowl, 0.0, state), state)
    assert jax.tree.structure(velocity) == jax.tree.structure(state)
    assert [(v.shape, v.dtype) for v in jax.tree.leaves(velocity)] == [
        (x.shape, x.dtype) for x in jax.tree.leaves(state)
    ]


@every_flow
def test_a_nested_pytree_and_its_flat_vector_have_the_same_field(case):
    flow = case.make(0.1)
    start, unravel = ravel_pytree(START)
    flattened = lambda w: bowl(unravel(w))  # noqa: E731
    level = flow.vector_field(flattened, 1.0, flow.init(flattened, flows.Start(start)))
    nested = flow.vector_field(bowl, 1.0, flow.init(bowl, flows.Start(START)))
    assert np.linalg.norm(flat(level)) > 0.1
    np.testing.assert_allclose(flat(nested), flat(level), rtol=1e-14)


@every_flow
@pytest.mark.slow
def test_its_clock_is_a_power_of_the_learning_rate_of_its_method(case):
    flow = case.make(H)
    solution = solved(flow, steps=128)
    np.testing.assert_allclose(solution.times, H**flow.clock_exponent * solution.steps, rtol=1e-15)
    assert flow.clock_exponent == (0.5 if case.covers in IN_ROOTS else 1)
    assert solution.steps.tolist() == list(range(0, 129, 16)) and solution.completed


IN_ROOTS = {
    flows.SuBoydCandes,
    flows.SpeedRestart,
    flows.Polyak,
    flows.MuehlebachJordan,
    flows.LowResolution,
    flows.HighResolution,
    flows.HighResolutionConvex,
    flows.Bregman,
}


def gap(case, h: float) -> float:
    """Largest distance on [0, 1] between the flow and its method, started on the method's slow manifold."""
    flow, method, steps = case.make(h), case.method(h), round(1 / h)
    state = slow_manifold_state(flow, TOY.loss, TOY.params) if jax.tree.leaves(method.init(TOY.params)) else None
    run = discrete.run(method, TOY.loss, TOY.params, steps=steps, every=steps // 8, state=state, keep_params=True)
    return np.max(np.linalg.norm(run.params - solved(flow, steps=steps).params, axis=1))


# Those that expect a method at rest are measured from rest, in tests/comparisons/test_momentum_orders.py.
FROM_THE_MANIFOLD = {name: case for name, case in FLOWS.items() if not case.make(H).expects_rest}


@pytest.mark.parametrize("case", FROM_THE_MANIFOLD.values(), ids=FROM_THE_MANIFOLD)
def test_halving_the_step_divides_the_distance_by_two_to_the_claimed_order(case):
    gaps = np.array([gap(case, h) for h in (H, H / 2, H / 4)])
    slopes = np.log2(gaps[:-1] / gaps[1:])
    assert gaps.min() > 1e-9
    np.testing.assert_allclose(slopes, case.make(H).order, atol=0.15)


@every_flow
def test_a_second_solve_with_another_learning_rate_compiles_nothing(case, caplog):
    first = solved(case.make(H), steps=128)
    caplog.clear()
    with jax.log_compiles(), caplog.at_level(logging.WARNING, logger="jax"):
        second = solved(case.make(H / 2), steps=64)
    assert "Finished XLA compilation" not in caplog.text
    assert np.linalg.norm(first.final_params - second.final_params) > 1e-3


@pytest.mark.parametrize("name", ["gradient flow of heavy ball", "modified flow of nesterov"])
def test_float32_stays_float32_and_near_the_float64_solution(name):
    flow = FLOWS[name].make(0.05)
    single = flows.solve(
        flow, TOY.loss, TOY.params.astype(jnp.float32), steps=20, every=5, keep_params=True, observe={"loss": TOY.loss}
    )
    double = solved(flow, steps=16)
    assert single.completed
    assert {single.params.dtype, single.final_params.dtype, single.observations["loss"].dtype} == {
        jnp.dtype(jnp.float32)
    }
    np.testing.assert_allclose(single.params[2], double.params[5], atol=1e-5)
