"""The sharpness in the metric of a preconditioner: against dense decompositions, and along runs."""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.flatten_util import ravel_pytree

import discrete
import flows
import landscapes
from landscapes import EffectiveSharpness, Moment, Sharpness, measure_all
from landscapes.curvature.eigenpairs import DENSE_BELOW

pytestmark = pytest.mark.slow
K = 3


@functools.cache
def network(width: int):
    """A small network, a preconditioner for it over two decades, and P^-1/2 H P^-1/2 as a matrix in numpy."""
    problem = landscapes.chebyshev_mlp(widths=(width,), points=12)
    flat, unravel = ravel_pytree(problem.params)
    scales = 10 ** np.random.default_rng(0).uniform(-1, 1, flat.size)
    hessian = np.asarray(jax.hessian(lambda w: problem.loss(unravel(w)))(flat))
    return problem, unravel(jnp.asarray(scales)), hessian / np.sqrt(np.outer(scales, scales))


def measured(observable, params, preconditioner=None, carry=None):
    def at(params, preconditioner):
        return Moment(params, preconditioner=lambda: preconditioner)

    measure = eqx.filter_jit(lambda p, c, scale: observable.measure(at(p, scale), c))
    return measure(params, observable.init(at(params, preconditioner)) if carry is None else carry, preconditioner)


both_sizes = pytest.mark.parametrize("width", [8, 40], ids=["dense", "searched"])


def test_the_two_networks_are_on_either_side_of_the_dense_path():
    assert landscapes.count(network(8)[0].params) < DENSE_BELOW < landscapes.count(network(40)[0].params)


@both_sizes
def test_the_values_are_those_of_the_dense_preconditioned_hessian(width):
    problem, scales, matrix = network(width)
    truth = np.linalg.eigvalsh(matrix)[::-1][:K]
    found, _ = measured(EffectiveSharpness(problem.loss, k=K), problem.params, scales)
    np.testing.assert_allclose(found.value, truth, rtol=0, atol=1e-6 * truth[0])
    plain, _ = measured(Sharpness(problem.loss, k=K), problem.params)
    assert np.abs(plain.value - truth).max() > 0.1 * truth[0]


@both_sizes
def test_the_smallest_values_are_preconditioned_too(width):
    problem, scales, matrix = network(width)
    found = jax.jit(lambda w, p: landscapes.top_eigenpairs(problem.loss, w, which="smallest", preconditioner=p).values)(
        problem.params, scales
    )
    np.testing.assert_allclose(found, np.linalg.eigvalsh(matrix)[:1], rtol=1e-6)


@both_sizes
def test_the_vectors_of_the_search_are_unit_and_those_of_the_instrument_solve_the_generalized_problem(width):
    problem, scales, matrix = network(width)
    sharpness = EffectiveSharpness(problem.loss, k=K, tolerance=1e-12)
    found, carry = measured(sharpness, problem.params, scales)
    searched = np.asarray(carry.track.block[:K])
    np.testing.assert_allclose(searched @ searched.T, np.eye(K), atol=1e-12)
    np.testing.assert_allclose(searched @ matrix, found.value[:, None] * searched, atol=1e-5 * found.value[0])
    p = np.asarray(ravel_pytree(scales)[0])
    hessian = np.sqrt(np.outer(p, p)) * matrix
    directions = np.asarray(sharpness.eigenvectors(carry))
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1, rtol=1e-12)
    images = directions @ hessian / p
    np.testing.assert_allclose(images, found.value[:, None] * directions, atol=1e-4 * found.value[0])


@both_sizes
def test_one_number_divides_the_sharpness(width):
    problem, *_ = network(width)
    plain, _ = measured(Sharpness(problem.loss), problem.params)
    found, _ = measured(EffectiveSharpness(problem.loss), problem.params, 4.0)
    np.testing.assert_allclose(found.value, plain.value / 4, rtol=1e-9)


def test_a_second_measurement_costs_at_most_half_of_the_first():
    problem, scales, _ = network(40)
    sharpness = EffectiveSharpness(problem.loss)
    first, carry = measured(sharpness, problem.params, scales)
    second, _ = measured(sharpness, problem.params, scales, carry)
    assert second.hessian_products <= first.hessian_products / 2
    np.testing.assert_allclose(first.value, second.value, rtol=1e-6)


def test_params_whose_preconditioner_vanishes_do_not_take_part():
    bowl = landscapes.Quadratic(jnp.asarray([[9.0, 1.0, 0.0], [1.0, 4.0, 1.0], [0.0, 1.0, 2.0]]), jnp.zeros(3))
    found, _ = measured(EffectiveSharpness(bowl, k=2), jnp.ones(3), jnp.asarray([0.0, 4.0, 1.0]))
    np.testing.assert_allclose(found.value, np.linalg.eigvalsh([[1.0, 0.5], [0.5, 2.0]])[::-1], rtol=1e-12)


def test_a_preconditioner_that_is_no_number_shows_and_leaves_the_block_as_it_was():
    problem, scales, _ = network(40)
    sharpness = EffectiveSharpness(problem.loss)
    broken = jax.tree.map(lambda p: p * jnp.nan, scales)
    found, carry = measured(sharpness, problem.params, broken)
    assert np.all(np.isnan(found.value))
    np.testing.assert_array_equal(carry.track.block, sharpness.init(Moment(problem.params)).track.block)


# Along runs


TOY = landscapes.two_valleys()
H, B = 0.02, 0.9
ADAPTIVE = [discrete.RMSProp(H, B, 1e-2, bias_correction=True), discrete.ScalarRMSProp(H, B, bias_correction=True)]


@pytest.mark.parametrize("method", ADAPTIVE, ids=["RMSProp", "scalar"])
def test_along_a_method_the_hessian_meets_the_preconditioner_of_the_step_that_leaves_it(method):
    run = discrete.run(
        method,
        TOY.loss,
        TOY.params,
        steps=12,
        observe={"effective": EffectiveSharpness(TOY.loss, k=2)},
        keep_params=True,
    )
    weights, weight = 0.0, 0.0
    for n, x in enumerate(run.params):
        slope, hessian = np.asarray(jax.grad(TOY.loss)(x)), np.asarray(jax.hessian(TOY.loss)(x))
        square = slope @ slope if isinstance(method, discrete.ScalarRMSProp) else slope**2
        weights, weight = B * weights + (1 - B) * square, B * weight + 1 - B
        root = (np.sqrt(weights / weight) + method.epsilon) ** -0.5 * np.ones(2)
        truth = np.linalg.eigvalsh(root[:, None] * hessian * root)[::-1]
        np.testing.assert_allclose(run.observations["effective"][n], truth, rtol=1e-10)


@pytest.mark.slow
def test_along_a_method_or_flow_without_preconditioner_it_is_the_sharpness():
    method = discrete.HeavyBall(H, 0.5)
    observe = {"plain": Sharpness(TOY.loss, k=2), "effective": EffectiveSharpness(TOY.loss, k=2)}
    for run in (
        discrete.run(method, TOY.loss, TOY.params, steps=20, observe=observe),
        flows.solve(flows.GradientFlow(method), TOY.loss, TOY.params, steps=20, observe=observe),
    ):
        np.testing.assert_allclose(run.observations["effective"], run.observations["plain"], rtol=1e-12)


@pytest.mark.parametrize("method", ADAPTIVE, ids=["RMSProp", "scalar"])
def test_edge_flow_starts_with_the_preconditioner_of_the_first_step(method):
    flow = flows.EdgeFlow(method)
    found = flow.preconditioner(TOY.loss, flow.init(TOY.loss, flows.Start(TOY.params)))
    expected = method.preconditioner(*method.step(jax.grad(TOY.loss), TOY.params, method.init(TOY.params)))
    np.testing.assert_allclose(found, expected, rtol=1e-13)


# Misuse


@pytest.mark.parametrize("k", [0, -1])
def test_an_effective_sharpness_of_no_eigenvalues_is_refused(k):
    with pytest.raises(ValueError, match=rf"`EffectiveSharpness\(k=...\)` must be at least 1, got {k}"):
        EffectiveSharpness(TOY.loss, k=k)


@pytest.mark.parametrize("wrong", [jnp.ones(3), {"a": jnp.ones(2)}], ids=["shape", "structure"])
def test_a_preconditioner_of_another_shape_is_refused(wrong):
    with pytest.raises(ValueError, match="`preconditioner` must be a number or have the shapes of the params"):
        landscapes.top_eigenpairs(TOY.loss, TOY.params, preconditioner=wrong)


def test_where_nothing_runs_it_is_refused():
    sharpness = EffectiveSharpness(TOY.loss)
    carries = {"e": sharpness.init(Moment(TOY.params))}
    with pytest.raises(ValueError, match=r"`observe\['e'\]` needs the `preconditioner` of a run"):
        measure_all({"e": sharpness}, Moment(TOY.params), carries)
    measure_all({"e": sharpness}, Moment(TOY.params, preconditioner=lambda: 1.0), carries)


def test_a_method_or_flow_whose_preconditioner_is_not_known_is_refused():
    method = discrete.from_optax(optax.rmsprop(0.1), 0.1)
    observe = {"effective": EffectiveSharpness(TOY.loss)}
    with pytest.raises(ValueError, match="optax does not reveal the preconditioner"):
        discrete.run(method, TOY.loss, TOY.params, steps=1, observe=observe)
    stateless = discrete.from_optax(optax.sign_sgd(0.1), 0.1)
    with pytest.raises(ValueError, match="IterateFlow does not know the preconditioner of OptaxMethod"):
        flows.solve(flows.IterateFlow(stateless), TOY.loss, TOY.params, steps=1, observe=observe)
