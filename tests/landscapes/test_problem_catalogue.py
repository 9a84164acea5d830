"""Every problem that can be asked for by name, over one table of cases."""

import functools
import inspect
import re
from pathlib import Path
from typing import Annotated

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from image_writers import write_cifar10_bin, write_mnist
from jax.flatten_util import ravel_pytree

import landscapes
from landscapes import PROBLEMS, all_settings, build, check_start, registered, settings_of
from paper_figures.edge.cohen_2021_cifar10.setting import GAIN

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
    write_cifar10_bin(folder / "test_batch.bin", [6, 7, 8, 9], seed=1)
    write_mnist(folder, size=(28, 28))
    write_mnist(folder, size=(28, 28), stem="t10k")
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
    # Six standardized images span five directions: the sixth of their basis, which nothing depends on, is rounding's.
    settings = SMALL[name] | ({"in_span": False} if name == "cifar10-mlp" else {})
    double = build(name, **settings)
    with jax.enable_x64(False):
        single = build(name, **settings)
        start, value = ravel_pytree(single.params)[0], jax.jit(lambda w: single.loss(w))(single.params)
        assert start.dtype == value.dtype == np.float32
    np.testing.assert_allclose(start, ravel_pytree(double.params)[0], rtol=1e-6, atol=1e-7)
    assert float(value) == pytest.approx(float(jax.jit(lambda w: double.loss(w))(double.params)), rel=1e-4)


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


# Test examples

TESTED = [name for name in PROBLEMS if "test_examples" in inspect.signature(PROBLEMS[name]).parameters]


def test_every_problem_with_a_data_set_can_have_test_examples():
    with_data = {"logistic", "digits-mlp", "normalized-mlp", "cifar10-mlp", "cifar10-cnn", "mnist-mlp", "mnist-cnn"}
    assert set(TESTED) == with_data
    assert all(small(name).test_loss is None and small(name).test_accuracy is None for name in TESTED)


@pytest.mark.parametrize("name", TESTED)
def test_the_test_loss_is_that_of_other_examples_and_training_stays_as_it_is(name):
    problem = build(name, **SMALL[name], test_examples=3)
    assert float(jax.jit(lambda w: problem.loss(w))(problem.params)) == value_at_start(name)
    test = problem.test_loss
    assert test.examples == 3
    assert float(test(problem.params)) == pytest.approx(float(jnp.mean(test.per_example(problem.params))), rel=1e-13)
    assert float(test(problem.params)) != pytest.approx(value_at_start(name), rel=1e-6) or name == "logistic"
    assert float(problem.test_accuracy(problem.params)) in (0, pytest.approx(1 / 3), pytest.approx(2 / 3), 1)


# Registration


def test_a_problem_is_registered_by_its_decorator_alone(monkeypatch):
    monkeypatch.setattr(registered, "PROBLEMS", dict(PROBLEMS))

    @registered.problem_builder("bowl")
    def bowl(*, steepness: Annotated[float, "Curvature of the bowl."] = 2.0) -> landscapes.Problem:
        return landscapes.Problem("bowl", lambda w: steepness * w**2 / 2, jnp.asarray(1.0))

    assert registered.PROBLEMS["bowl"] is bowl
    assert float(bowl(steepness=4.0).loss(1.0)) == 2.0
    assert all_settings(registered.PROBLEMS)["steepness"] == (float, "Curvature of the bowl.", ("bowl",))
    with pytest.raises(ValueError, match="`name` 'bowl' is taken by .*bowl; choose another"):
        registered.problem_builder("bowl")(landscapes.two_valleys)


def test_every_problem_of_every_file_is_there_without_being_listed():
    folder = Path(landscapes.__file__).parent
    names = {
        name for file in folder.rglob("*.py") for name in re.findall(r'@problem_builder\("(.+)"\)', file.read_text())
    }
    assert names == set(PROBLEMS)
    listing = (folder / "catalogue.py").read_text()
    assert not any(name in listing for name in names if "-" in name)


def test_every_setting_has_a_type_that_a_text_can_be_read_as_a_line_of_help_and_its_problems():
    settings = all_settings()
    assert set(settings) == {key for name in PROBLEMS for key in settings_of(name)}
    for key, setting in settings.items():
        assert setting.type in (int, float, bool, str, tuple[int, ...], tuple[float, ...]), key
        assert setting.help.endswith(".") and "\n" not in setting.help
        assert setting.problems == tuple(name for name in PROBLEMS if key in settings_of(name))


def test_settings_that_mean_something_else_to_another_problem_say_both():
    assert all_settings()["depth"].help == (
        "Number of weight matrices of a deep linear network. Power of each weight of a diagonal linear network."
    )


def test_a_setting_without_help_or_with_two_types_is_refused():
    def silent(*, gain: float = 1.0) -> landscapes.Problem: ...

    def other(*, gain: Annotated[str, "How much."] = "some") -> landscapes.Problem: ...

    with pytest.raises(ValueError, match="`gain` of the problem silent has no explanation; write Annotated"):
        all_settings({"silent": silent})
    with pytest.raises(ValueError, match="`gain` of the problem other is <class 'str'>, that of .* <class 'float'>"):
        all_settings({**PROBLEMS, "other": other})


# The figure of Cohen et al. 2021


def test_the_cifar10_mlp_is_the_network_of_its_figure():
    gain = settings_of("cifar10-mlp")["gain"]
    assert gain == GAIN
    whole = landscapes.in_input_span(landscapes.cifar10_mlp(**SMALL["cifar10-mlp"], in_span=False))
    same = zip(jax.tree.leaves(small("cifar10-mlp").params), jax.tree.leaves(whole.params), strict=True)
    assert all(np.array_equal(a, b) for a, b in same)


def test_the_default_digits_mlp_starts_below_the_edge_of_stability_at_a_learning_rate_of_one_tenth():
    problem = landscapes.digits_mlp()
    pairs = jax.jit(lambda w: landscapes.top_eigenpairs(problem.loss, w))(problem.params)
    assert float(pairs.values[0]) < 2 / 0.1
