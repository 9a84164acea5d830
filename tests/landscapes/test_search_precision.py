"""Eigenpairs searched in single precision along a run in double precision."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import discrete
import flows
import landscapes

METHOD, STEPS = discrete.GradientDescent(0.3), 60


@pytest.fixture(scope="module")
def problem():
    return landscapes.digits_mlp(widths=(5,), examples=60)


@pytest.mark.parametrize(
    "instrument", [landscapes.Sharpness, pytest.param(landscapes.EffectiveSharpness, marks=pytest.mark.slow)]
)
def test_values_along_a_run_are_those_of_the_search_in_double_precision_to_single_precision(problem, instrument):
    observe = {
        "double": instrument(problem.loss, k=3, tolerance=1e-11),
        "single": instrument(problem.loss, k=3, precision="float32", tolerance=1e-8),
    }
    found = discrete.run(METHOD, problem.loss, problem.params, steps=STEPS, every=2, observe=observe).observations
    assert found["single"].dtype == found["double"].dtype == np.float64
    error = np.abs(found["single"] - found["double"]) / found["double"][:, :1]
    assert 1e-9 < error.max() < 2e-6


def test_the_products_are_made_in_single_precision(problem):
    def told(precision):
        return str(
            jax.make_jaxpr(lambda w: landscapes.top_eigenpairs(problem.loss, w, precision=precision))(problem.params)
        )

    assert "f64[60,64]" in told(None)
    # The data are cast once; every matrix product is in float32.
    products = [line for line in told("float32").splitlines() if "dot_general" in line and "60" in line]
    assert products and not any("f64" in line for line in products)


def test_a_residual_of_a_ten_thousandth_is_met(problem):
    pairs = landscapes.top_eigenpairs(problem.loss, problem.params, 4, precision="float32", tolerance=1e-9)
    product = landscapes.hessian_operator(problem.loss, problem.params)
    defects = jax.vmap(product)(pairs.vectors) - pairs.values[:, None] * pairs.vectors
    assert pairs.converged
    assert np.all(np.linalg.norm(defects, axis=1) <= 1e-4 * np.asarray(pairs.values))


@pytest.mark.slow
def test_the_smallest_of_a_preconditioned_hessian_are_found_too(problem):
    scale = jax.tree.map(lambda leaf: 1 + jnp.abs(leaf), problem.params)
    settings = {"which": "smallest", "preconditioner": scale, "tolerance": 1e-8}
    single, double = (
        landscapes.top_eigenpairs(problem.loss, problem.params, 2, precision=kind, **settings)
        for kind in ("float32", None)
    )
    np.testing.assert_allclose(single.values, double.values, rtol=1e-4)


def test_single_precision_params_can_be_searched_in_double_precision(problem):
    loss, params = (jax.tree.map(lambda a: a.astype(jnp.float32), tree) for tree in (problem.loss, problem.params))
    pairs = landscapes.top_eigenpairs(loss, params, 2, precision="float64", tolerance=1e-10)
    exact = landscapes.top_eigenpairs(problem.loss, problem.params, 2, tolerance=1e-10)
    assert pairs.values.dtype == np.float32
    np.testing.assert_allclose(pairs.values, exact.values, rtol=1e-6)


@pytest.mark.slow
def test_the_central_flow_with_searches_in_single_precision_goes_where_it_goes(problem):
    def end(**settings):
        found = flows.solve(flows.CentralFlow(METHOD, **settings), problem.loss, problem.params, steps=STEPS, every=20)
        assert found.completed and found.predictions["critical"].max() >= 1
        return jax.flatten_util.ravel_pytree(found.final_params)[0]

    begin = jax.flatten_util.ravel_pytree(problem.params)[0]
    double, single = end(tolerance=1e-10), end(tolerance=1e-8, precision="float32")
    assert np.linalg.norm(single - double) < 1e-5 * np.linalg.norm(double - begin)


def test_the_products_of_its_searches_are_in_single_precision(problem):
    flow = flows.CentralFlow(METHOD, precision="float32")
    start = flows.Start(problem.params)
    step = jax.make_jaxpr(lambda state: flow.step(problem.loss, state, jax.random.key(0), 0))
    assert "f32[60,64]" in str(step(flow.init(problem.loss, start)))


@pytest.mark.parametrize(
    "use",
    [
        lambda problem: landscapes.top_eigenpairs(problem.loss, problem.params, precision="float16"),
        lambda problem: landscapes.Sharpness(problem.loss, precision="float16"),
        lambda problem: landscapes.EffectiveSharpness(problem.loss, precision="float16"),
        lambda problem: flows.CentralFlow(METHOD, precision="float16"),
    ],
    ids=["search", "sharpness", "effective sharpness", "central flow"],
)
def test_another_precision_is_refused(problem, use):
    with pytest.raises(ValueError, match="`precision` must be 'float32', 'float64' or None, got 'float16'"):
        use(problem)
