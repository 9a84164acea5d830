"""Losses with a reverse rule only: their Hessians and third derivatives against closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import landscapes
from landscapes.curvature.directional import along, goes_forward

ROWS = np.random.default_rng(0).standard_normal((30, 4))
POINT = jnp.array([1.0, -0.5, 0.3, 0.8])
U, V = jnp.array([1.0, 2.0, -1.0, 0.5]), jnp.array([-0.4, 0.7, 0.2, 1.1])


@jax.custom_vjp
def softplus(x):
    return jnp.logaddexp(x, 0)


# A forward pass that calls the function itself, as is usual: nothing of it can be differentiated forward.
softplus.defvjp(lambda x: (softplus(x), x), lambda x, g: (g * slope(x),))


@jax.custom_vjp
def slope(x):
    """The sigmoid, with a reverse rule only: a backward pass that has itself a rule."""
    return jax.nn.sigmoid(x)


slope.defvjp(lambda x: (slope(x), x), lambda x, g: (g * jax.nn.sigmoid(x) * jax.nn.sigmoid(-x),))


def scanned(w):
    total, _ = jax.lax.scan(lambda total, row: (total + softplus(row @ w), None), 0.0, jnp.asarray(ROWS))
    return total / len(ROWS)


LOSSES = {
    "of whole arrays": lambda w: jnp.mean(softplus(jnp.asarray(ROWS) @ w)),
    "under vmap": lambda w: jnp.mean(jax.vmap(lambda row: softplus(row @ w))(jnp.asarray(ROWS))),
    "in a scan": scanned,
    "under jit and remat": jax.jit(jax.checkpoint(lambda w: jnp.mean(softplus(jnp.asarray(ROWS) @ w)))),
}


def closed_forms():
    s = 1 / (1 + np.exp(-ROWS @ np.asarray(POINT)))
    hessian = (ROWS * (s * (1 - s))[:, None]).T @ ROWS / len(ROWS)
    bend = ROWS.T @ (s * (1 - s) * (1 - 2 * s) * (ROWS @ np.asarray(U)) * (ROWS @ np.asarray(V))) / len(ROWS)
    return hessian, bend


@pytest.fixture(params=LOSSES.values(), ids=LOSSES)
def loss(request):
    return request.param


def test_forward_alone_they_are_refused_by_jax(loss):
    with pytest.raises(TypeError, match="custom_vjp"):
        jax.jit(lambda w: jax.jvp(jax.grad(loss), (w,), (U,)))(POINT)


def test_their_hessians_are_the_closed_form(loss):
    hessian, _ = closed_forms()
    np.testing.assert_allclose(landscapes.dense_hessian(loss, POINT), hessian, rtol=1e-12)
    np.testing.assert_allclose(landscapes.gradient_and_product(loss, POINT, U)[1], hessian @ U, rtol=1e-12)
    truth = np.linalg.eigvalsh(hessian)[::-1]
    np.testing.assert_allclose(landscapes.top_eigenpairs(loss, POINT, 2).values, truth[:2], rtol=1e-12)


def test_their_third_derivatives_are_the_closed_form(loss):
    found = jax.jit(lambda w: landscapes.third_derivative(loss, w, U, V))(POINT)
    np.testing.assert_allclose(found, closed_forms()[1], rtol=1e-11)


def test_newtons_method_ends_where_it_does_without_the_rule():
    def pulled(activation):
        return lambda w: jnp.mean(activation(jnp.asarray(ROWS) @ w)) + w @ w / 2

    found = landscapes.minimizer(pulled(softplus), POINT)
    np.testing.assert_allclose(found, landscapes.minimizer(pulled(jax.nn.softplus), POINT), rtol=1e-9)


@jax.custom_vjp
def estimated(x):
    """Straight through: the gradient is that of another function, and its derivative is not symmetric."""
    return jnp.round(x)


estimated.defvjp(lambda x: (estimated(x), None), lambda _, g: (g,))


def test_a_derivative_that_is_not_symmetric_is_not_transposed():
    def function(x):
        return jnp.stack([softplus(x[0] * x[1]), x[0] ** 2, estimated(x[1]) * x[2]])

    x, v = jnp.array([0.4, 1.2, -0.7]), jnp.array([1.0, 2.0, 3.0])
    s = 1 / (1 + np.exp(-0.48))
    expected = [s * (1.2 * 1 + 0.4 * 2), 2 * 0.4 * 1, -0.7 * 2 + 1.0 * 3]
    value, image = jax.jit(lambda x: along(function, (x,), (v,)))(x)
    np.testing.assert_allclose(image, expected, rtol=1e-12)
    np.testing.assert_array_equal(value, function(x))


def plain_forward(x):
    """A softplus whose rule is for reverse mode, and leaves nothing but plain functions in the gradient."""
    return jnp.logaddexp(x, 0)


inlined = jax.custom_vjp(plain_forward)
inlined.defvjp(lambda x: (plain_forward(x), x), lambda x, g: (g * jax.nn.sigmoid(x),))


@pytest.mark.parametrize(
    "loss",
    [lambda w: jnp.sum(jax.nn.relu(w) ** 2 + jax.nn.softplus(w)), lambda w: jnp.sum(inlined(w) + w**2 * (w > 0))],
)
def test_forward_mode_stays_the_way_of_losses_that_allow_it(loss):
    assert goes_forward(jax.grad(loss), POINT)
    s = 1 / (1 + np.exp(-np.asarray(POINT)))
    expected = (2 * (np.asarray(POINT) > 0) + s * (1 - s)) * np.asarray(U)
    np.testing.assert_allclose(landscapes.gradient_and_product(loss, POINT, U)[1], expected, rtol=1e-12)


def test_a_rule_for_reverse_mode_is_seen_wherever_it_is_called(loss):
    assert not goes_forward(jax.grad(loss), POINT)


def test_above_sixty_four_parameters_a_compiled_search_finds_the_closed_form():
    rows = np.random.default_rng(1).standard_normal((40, 90))
    found = jax.jit(lambda w: landscapes.top_eigenpairs(lambda w: jnp.sum(softplus(jnp.asarray(rows) @ w)), w, 2))
    truth = np.linalg.eigvalsh(rows.T @ rows / 4)[::-1]
    np.testing.assert_allclose(found(jnp.zeros(90)).values, truth[:2], rtol=1e-6)


@jax.custom_vjp
def outside(x):
    return jax.pure_callback(lambda x: np.logaddexp(x, 0), jax.ShapeDtypeStruct(x.shape, x.dtype), x)


def outside_backward(x, g):
    return (g * jax.pure_callback(lambda x: 1 / (1 + np.exp(-x)), jax.ShapeDtypeStruct(x.shape, x.dtype), x),)


outside.defvjp(lambda x: (outside(x), x), outside_backward)


@pytest.mark.parametrize("ask", [landscapes.dense_hessian, landscapes.top_eigenpairs])
def test_a_backward_pass_that_cannot_be_differentiated_is_refused_in_one_line(ask):
    loss = lambda w: jnp.mean(outside(jnp.asarray(ROWS) @ w))  # noqa: E731
    np.testing.assert_allclose(jax.grad(loss)(POINT), jax.grad(LOSSES["of whole arrays"])(POINT), rtol=1e-12)
    with pytest.raises(ValueError, match="`loss` has no second derivative that JAX can take .*jax.custom_jvp") as got:
        ask(loss, POINT)
    assert "\n" not in str(got.value)


def test_an_error_of_the_loss_itself_comes_as_it_is():
    with pytest.raises(TypeError, match="dot_general"):
        landscapes.dense_hessian(lambda w: jnp.sum(w @ jnp.ones((3, 2))), POINT)
