"""Every problem that can be asked for by name, over one table of cases."""

import functools
import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from image_writers import write_cifar10_bin, write_mnist
from jax.flatten_util import ravel_pytree

import landscapes
from landscapes import PROBLEMS, build, check_start, settings_of

SMALL = {
    "quadratic": {},
    "rosenbrock": {},
    "two-valleys": {},
    "logistic": {"examples": 20},
    "chebyshev-mlp": {"widths": (5,)},
    "digits-mlp": {"widths": (5,), "examples": 20},
    "normalized-mlp": {"widths": (5,), "examples": 20},
    "deep-linear": {},
    "diagonal-linear": {},
    "cifar10-mlp": {"widths": (5,), "examples": 6},
    "cifar10-cnn": {"channels": (2, 2), "examples": 6},
    "mnist-mlp": {"widths": (5,), "examples": 5},
    "mnist-cnn": {"channels": (2, 2), "examples": 5},
}
SEEDED = [name for name in PROBLEMS if "seed" in inspect.signature(PROBLEMS[name]).parameters]
FROM_FILES = [name for name in PROBLEMS if "data_dir" in inspect.signature(PROBLEMS[name]).parameters]
every_problem = pytest.mark.parametrize("name", SMALL)


@pytest.fixture(autouse=True, scope="module")
def image_files(tmp_path_factory):
    """Small files of CIFAR-10 and MNIST in the folder that the environment variable names."""
    folder = tmp_path_factory.mktemp("data")
    write_cifar10_bin(folder / "data_batch_1.bin", [0, 1, 2, 3, 4, 5])
    write_mnist(folder, size=(28, 28))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ODESCENT_DATA", str(folder))
        yield


def test_every_problem_has_its_case():
    assert set(SMALL) == set(PROBLEMS)


@functools.cache
def small(name):
    return build(name, **SMALL[name])


@functools.cache
def value_at_start(name) -> float:
    return float(jax.jit(lambda w: small(name).loss(w))(small(name).params))


@every_problem
def test_a_problem_bears_its_name_and_can_be_started(name):
    assert small(name).name == name
    check_start(small(name).loss, small(name).params)


@every_problem
def test_the_loss_changes_along_the_gradient_as_the_gradient_says(name):
    flat, unravel = ravel_pytree(small(name).params)
    value_and_gradient = jax.jit(jax.value_and_grad(lambda w: small(name).loss(unravel(w))))
    _, gradient = value_and_gradient(flat)
    slope = float(jnp.linalg.norm(gradient))
    there, back = (value_and_gradient(flat + step * gradient / slope)[0] for step in (1e-5, -1e-5))
    assert slope > 1e-3
    assert float(there - back) / 2e-5 == pytest.approx(slope, rel=1e-5)


@every_problem
def test_a_problem_starts_above_its_minimum_where_that_is_known(name):
    minimum = small(name).minimum
    assert minimum is None or value_at_start(name) > minimum


@pytest.mark.parametrize("name", SEEDED)
def test_the_same_seed_gives_the_same_problem_and_another_seed_another(name):
    first, again, other = (jax.tree.leaves(build(name, **SMALL[name], seed=seed)) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


@every_problem
def test_in_float32_a_problem_is_the_same_up_to_rounding(name):
    double = small(name)
    with jax.enable_x64(False):
        single = build(name, **SMALL[name])
        start, value = ravel_pytree(single.params)[0], jax.jit(lambda w: single.loss(w))(single.params)
        assert start.dtype == value.dtype == np.float32
    np.testing.assert_allclose(start, ravel_pytree(double.params)[0], rtol=1e-6, atol=1e-7)
    assert float(value) == pytest.approx(value_at_start(name), rel=1e-4)


@pytest.mark.parametrize("name", [name for name, settings in SMALL.items() if "examples" in settings])
def test_a_problem_with_labels_predicts_and_knows_its_accuracy(name):
    problem = small(name)
    assert problem.predict(problem.params).shape[0] == SMALL[name]["examples"]
    assert 0 <= float(problem.accuracy(problem.params)) <= 1


@every_problem
def test_the_settings_are_those_of_the_function_with_their_defaults(name):
    expected = {key: p.default for key, p in inspect.signature(PROBLEMS[name]).parameters.items()}
    assert settings_of(name) == expected
    assert inspect.Parameter.empty not in expected.values()


@every_problem
def test_a_setting_that_does_not_apply_is_refused_with_those_that_do(name):
    takes = ", ".join(settings_of(name)) or "no settings"
    with pytest.raises(ValueError, match=f"`temperature` does not apply to the problem {name}, which takes: {takes}"):
        build(name, temperature=1.0)


@pytest.mark.parametrize("ask", [build, settings_of])
def test_an_unknown_problem_is_refused_with_the_nearest_one(ask):
    with pytest.raises(ValueError, match="`problem` 'digit-mlp' is unknown; did you mean .*digits-mlp"):
        ask("digit-mlp")


@pytest.mark.parametrize("name", FROM_FILES)
def test_without_data_the_error_says_how_to_give_them(monkeypatch, name):
    monkeypatch.delenv("ODESCENT_DATA")
    with pytest.raises(ValueError, match="`data_dir` is missing: .* pass --data-dir or set ODESCENT_DATA"):
        build(name)


@pytest.mark.parametrize("name", ["digits-mlp", "cifar10-cnn"])
def test_micro_batches_leave_the_loss_as_it_is(name):
    parts = build(name, **SMALL[name], micro_batch=4)
    assert float(jax.jit(lambda w: parts.loss(w))(parts.params)) == pytest.approx(value_at_start(name), rel=1e-13)


@pytest.mark.parametrize("name", ["digits-mlp", "mnist-cnn"])
def test_the_criterion_can_be_the_cross_entropy(name):
    problem = build(name, **SMALL[name], criterion="cross-entropy")
    assert problem.loss.criterion is landscapes.cross_entropy


def test_the_default_digits_mlp_starts_below_the_edge_of_stability_at_a_learning_rate_of_one_tenth():
    problem = landscapes.digits_mlp()
    pairs = jax.jit(lambda w: landscapes.top_eigenpairs(problem.loss, w))(problem.params)
    assert float(pairs.values[0]) < 2 / 0.1
