"""What a run may start from, and what it may not."""

import equinox as eqx
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


@pytest.mark.parametrize("params", [{}, [], None, {"a": None}, jnp.ones(0), {"a": np.ones((3, 0))}])
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
        (True, "True"),
        ("w", "'w'"),
        (jnp.tanh, "the function tanh"),
        (jax.random.key(0), "dtype key"),
        (np.ones(2, np.longdouble), "dtype float128|dtype longdouble"),
    ],
    ids=lambda value: str(getattr(value, "__name__", getattr(value, "dtype", value))),
)
def test_params_that_are_no_real_floating_point_arrays_are_refused_with_their_place(leaf, found):
    where = r" at params\['net'\]\[1\]"
    with pytest.raises(ValueError, match=f"`params` must hold real floating-point arrays, got ({found}).*{where}; "):
        check_start(lambda p: jnp.asarray(1.0), {"good": jnp.ones(2), "net": [jnp.ones(2), leaf]})


@pytest.mark.parametrize(
    "leaf", [jnp.asarray(0), 3, jnp.tanh, jax.random.key(0), "w"], ids=["int array", "int", "function", "key", "text"]
)
def test_setting_aside_what_is_no_parameter_as_the_error_says_works(leaf):
    model = {"w": jnp.ones(2), "other": leaf}
    with pytest.raises(ValueError, match=r"`arrays, rest = eqx.partition\(params, eqx.is_inexact_array\)`"):
        check_start(lambda p: jnp.sum(p["w"] ** 2), model)
    arrays, rest = eqx.partition(model, eqx.is_inexact_array)
    check_start(lambda arrays: jnp.sum(eqx.combine(arrays, rest)["w"] ** 2), arrays)


def test_a_model_of_equinox_names_its_activations_and_starts_when_they_are_set_aside():
    model = eqx.nn.MLP(3, 1, 4, 1, key=jax.random.key(0))

    def loss(model):
        return jnp.mean(jax.vmap(model)(jnp.ones((4, 3))) ** 2)

    with pytest.raises(ValueError, match=r"got the function relu at params\.activation, params\.final_activation; set"):
        check_start(loss, model)
    arrays, rest = eqx.partition(model, eqx.is_inexact_array)
    check_start(lambda arrays: loss(eqx.combine(arrays, rest)), arrays)


def test_only_the_first_places_are_named_and_the_others_counted():
    with pytest.raises(ValueError, match=r"params\[0\], params\[1\], params\[2\] and 4 more; convert"):
        check_start(lambda p: jnp.asarray(1.0), [1] * 7)


def test_integers_alone_are_to_be_converted_as_nothing_would_be_left_of_them():
    with pytest.raises(ValueError) as caught:
        check_start(lambda p: jnp.asarray(1.0), jnp.arange(3))
    assert str(caught.value).endswith("got dtype int64; convert it with jnp.asarray(x, float).")


@pytest.mark.parametrize("leaf", [np.ones(2, complex), 1j])
def test_complex_params_are_to_be_split_as_setting_aside_would_keep_them(leaf):
    with pytest.raises(ValueError, match="got .*at params.'w'.; make the real and the imaginary part two arrays"):
        check_start(lambda p: jnp.asarray(1.0), {"w": leaf, "b": jnp.ones(1)})


# The gradient at the start


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, jnp.bfloat16])
def test_a_gradient_that_is_nan_at_the_start_is_refused_with_its_place_and_the_loss(dtype):
    params = {"smooth": jnp.ones(2), "kink": [jnp.ones(1, dtype), jnp.zeros(3, dtype)]}

    def loss(p):
        return jnp.sum(p["smooth"] ** 2) + jnp.linalg.norm(p["kink"][1]) + jnp.sum(p["kink"][0])

    with pytest.raises(ValueError, match=r"gradient of `loss` must .* at params\['kink'\]\[1\] where .* is 3;"):
        check_start(loss, params)
    check_start(loss, {**params, "kink": [jnp.ones(1, dtype), jnp.ones(3, dtype)]})


def test_a_gradient_that_is_infinite_at_the_start_is_refused_too():
    with pytest.raises(ValueError, match="gradient of `loss` must be finite at the start, got NaN or infinity where"):
        check_start(lambda w: jnp.sqrt(w), jnp.asarray(0.0))


def test_the_remedy_for_a_root_at_zero_works():
    check_start(lambda w: jnp.sqrt(jnp.sum(w**2) + 1e-12), jnp.zeros(3))


def test_the_gradient_at_the_start_is_compiled_once_for_a_loss_however_often_it_is_checked():
    traced = []

    def loss(w):
        traced.append(1)
        return jnp.sum(w["a"] ** 2) + w["b"]

    check_start(loss, {"a": jnp.ones(3), "b": 0.5})
    first = len(traced)
    for b in (0.1, 0.2, 0.3, 0.4):
        check_start(loss, {"a": np.ones(3), "b": b})
    # Each check looks at the shape of the loss, which traces it once and compiles nothing.
    assert len(traced) == first + 4


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
