"""What a run may start from, and what it may not."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import landscapes
from landscapes import Problem, check_start, count


def square(params):
    return sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(params))


@pytest.mark.parametrize(
    "params",
    [
        jnp.ones(3),
        np.ones((2, 2)),
        1.5,
        jnp.asarray(2, jnp.float32),
        {"w": jnp.ones(2), "b": [jnp.zeros(()), np.float32(1)]},
    ],
    ids=str,
)
def test_a_finite_scalar_loss_at_real_params_is_taken(params):
    check_start(square, params)


@pytest.mark.parametrize("params", [{}, [], None, {"a": None}])
def test_params_without_arrays_are_refused(params):
    with pytest.raises(ValueError, match="`params` holds no arrays; pass a pytree with at least one"):
        check_start(square, params)


@pytest.mark.parametrize(
    ("leaf", "found"),
    [
        (jnp.arange(3), "dtype int64"),
        (np.arange(3, dtype=np.int32), "dtype int32"),
        (np.ones(2, bool), "dtype bool"),
        (np.ones(2, complex), "dtype complex128"),
        (3, "3"),
        ("w", "'w'"),
        (jnp.tanh, ".*tanh"),
    ],
    ids=lambda value: str(getattr(value, "__name__", value)),
)
def test_params_that_are_no_real_floating_point_arrays_are_refused(leaf, found):
    with pytest.raises(ValueError, match=f"`params` must hold real floating-point arrays, got {found}.*; convert"):
        check_start(lambda p: jnp.asarray(1.0), {"good": jnp.ones(2), "leaf": leaf})


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_params_that_are_not_finite_are_refused(value):
    with pytest.raises(ValueError, match="`params` must be finite at the start, got NaN or infinity"):
        check_start(lambda p: jnp.asarray(1.0), jnp.asarray([0.0, value]))


@pytest.mark.parametrize(
    ("loss", "found"),
    [
        (lambda w: w, r"\(3,\)"),
        (lambda w: jnp.sum(w)[None], r"\(1,\)"),
        (lambda w: (jnp.sum(w), w), "tuple"),
        (lambda w: None, "NoneType"),
    ],
)
def test_a_loss_that_is_no_scalar_is_refused_with_what_it_is(loss, found):
    with pytest.raises(ValueError, match=rf"`loss\(params\)` must be a scalar \(shape \(\)\), got {found}; reduce it"):
        check_start(loss, jnp.ones(3))


@pytest.mark.parametrize(
    ("loss", "dtype"), [(lambda w: jnp.sum(w > 0), "int64"), (lambda w: jnp.sum(w) + 1j, "complex128")]
)
def test_a_loss_that_is_no_real_floating_point_number_is_refused(loss, dtype):
    with pytest.raises(ValueError, match=rf"`loss\(params\)` must be a real floating-point number, got dtype {dtype}"):
        check_start(loss, jnp.ones(3))


@pytest.mark.parametrize(("loss", "value"), [(lambda w: jnp.log(-w), "nan"), (lambda w: 1 / (w - w), "inf")])
def test_a_loss_that_is_not_finite_at_the_start_is_refused_with_its_value(loss, value):
    with pytest.raises(ValueError, match=rf"`loss\(params\)` must be finite at the start, got {value}; pass another"):
        check_start(loss, jnp.asarray(1.0))


def test_the_dimension_counts_every_number_of_every_leaf():
    params = {"weight": jnp.ones((3, 4)), "bias": np.zeros(4), "scale": 2.0}
    assert Problem("any", square, params).dimension == count(params) == 17


def test_a_problem_is_a_pytree_whose_name_is_no_leaf():
    problem = landscapes.quadratic()
    doubled = jax.tree.map(lambda leaf: 2 * leaf, problem)
    assert doubled.name == "quadratic"
    np.testing.assert_array_equal(doubled.params, 2 * problem.params)
