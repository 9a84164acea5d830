"""A comparison on data with more parameters than a dense Hessian is formed for: logistic regression, 65 of them."""

import jax.numpy as jnp
import numpy as np
import pytest

import comparisons
import discrete
import flows
import landscapes

STEPS, EVERY = 60, 5


@pytest.fixture(scope="module")
def problem():
    return landscapes.logistic_digits(examples=60)


@pytest.fixture(scope="module")
def comparison(problem):
    method = discrete.HeavyBall(0.2, 0.5)
    observe = {"sharpness": landscapes.Sharpness(problem.loss, k=2)}
    chosen = {"gradient": flows.GradientFlow(method)}
    return comparisons.compare(method, chosen, problem, steps=STEPS, every=EVERY, observe=observe, keep_params=True)


def flat(params) -> np.ndarray:
    return np.concatenate([np.asarray(params["bias"])[:, None], np.asarray(params["weight"])], axis=1)


def test_distances_and_angles_are_those_of_the_two_trajectories(comparison):
    apart, path = comparison.divergence["gradient"], flat(comparison.flows["gradient"].params)
    iterates, origin = flat(comparison.discrete.params), flat(comparison.discrete.params)[0]
    np.testing.assert_allclose(apart.distance, np.linalg.norm(path - iterates, axis=1), rtol=1e-12)
    travelled, flowed = np.linalg.norm(iterates - origin, axis=1), np.linalg.norm(path - origin, axis=1)
    cosine = np.sum((path - origin) * (iterates - origin), axis=1)[1:] / (travelled * flowed)[1:]
    np.testing.assert_allclose(np.cos(apart.angle[1:]), cosine, atol=1e-12)


def test_along_and_across_split_the_distance_by_eigenvectors_found_iteratively(comparison, problem):
    apart, sample = comparison.divergence["gradient"], 6
    params = {key: jnp.asarray(rows[sample]) for key, rows in comparison.discrete.params.items()}
    vectors = np.linalg.eigh(np.asarray(landscapes.dense_hessian(problem.loss, params)))[1].T[::-1][:2]
    gap = (flat(comparison.flows["gradient"].params) - flat(comparison.discrete.params))[sample]
    np.testing.assert_allclose(apart.along[sample], np.abs(vectors @ gap), atol=1e-3 * apart.distance[sample])
    total = np.sum(apart.along**2, axis=1) + apart.across**2
    np.testing.assert_allclose(total, apart.distance**2, rtol=1e-9, atol=1e-20)


def test_function_distance_is_the_root_mean_square_of_the_difference_of_outputs(comparison, problem):
    for sample in (1, 7):
        one, other = (
            problem.predict({key: jnp.asarray(rows[sample]) for key, rows in side.params.items()})
            for side in (comparison.discrete, comparison.flows["gradient"])
        )
        expected = np.sqrt(np.mean(np.sum((one - other) ** 2, axis=1)))
        found = comparison.divergence["gradient"].function_distance[sample]
        assert found == pytest.approx(expected, rel=1e-12)
