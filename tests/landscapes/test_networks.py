"""Networks against forward passes written out in numpy, their starting weights, and their smoothness."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special
from jax.flatten_util import ravel_pytree

from landscapes import CNN, MLP
from landscapes.networks.activations import ACTIVATIONS, activation_named
from landscapes.networks.cnn import average_pool

KINKED = {"relu": 1, "elu": 2}  # the first derivative that jumps at 0


# Multilayer perceptron


def test_the_mlp_is_affine_maps_with_the_activation_between_them():
    network = MLP((3, 4, 5, 2), "tanh")
    params = jax.tree.map(lambda a: a + 0.1, network.init(0))
    inputs = np.random.default_rng(0).standard_normal((6, 3))
    first, second, last = ({name: np.asarray(a) for name, a in layer.items()} for layer in params)
    hidden = np.tanh(inputs @ first["weight"] + first["bias"])
    hidden = np.tanh(hidden @ second["weight"] + second["bias"])
    expected = hidden @ last["weight"] + last["bias"]
    np.testing.assert_allclose(network(params, jnp.asarray(inputs)), expected, atol=1e-14)


def test_without_hidden_layers_the_mlp_is_affine():
    network = MLP((3, 2), "relu")
    outputs = network(network.init(0), jnp.eye(3))
    np.testing.assert_allclose(outputs, network.init(0)[0]["weight"], atol=1e-15)


@pytest.mark.parametrize("gain", [1.0, 0.5])
def test_the_weights_have_glorots_variance_times_the_squared_gain_and_biases_are_zero(gain):
    weight = np.asarray(MLP((300, 200), "tanh").init(0, gain=gain)[0]["weight"])
    assert weight.std() == pytest.approx(gain * np.sqrt(2 / 500), rel=0.02)
    assert abs(weight.mean()) < 0.02 * weight.std()
    np.testing.assert_array_equal(MLP((300, 200), "tanh").init(0)[0]["bias"], 0)


def test_widening_a_layer_leaves_the_start_of_the_layers_before_it_as_it_was():
    narrow, wide = (MLP((4, 8, width, 2), "tanh").init(3) for width in (5, 9))
    np.testing.assert_array_equal(narrow[0]["weight"], wide[0]["weight"])


def test_no_two_layers_start_alike():
    first, second, _ = MLP((6, 6, 6, 2), "tanh").init(0)
    assert np.abs(first["weight"] - second["weight"]).max() > 0.1


@pytest.mark.parametrize("sizes", [(3,), (), (3, 0, 2), (3, -1)])
def test_layers_without_units_are_refused(sizes):
    with pytest.raises(ValueError, match="`widths` must be positive integers, got layer sizes"):
        MLP(sizes, "tanh")


# Activations


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_each_activation_and_its_first_two_derivatives_are_finite_everywhere(name):
    points = jnp.asarray([-1e3, -50.0, -1.0, -1e-8, 0.0, 1e-8, 1.0, 50.0, 1e3])
    function = activation_named(name)
    for derivative in (function, jax.grad(function), jax.grad(jax.grad(function))):
        assert np.all(np.isfinite(jax.jit(jax.vmap(derivative))(points)))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_derivatives_below_the_documented_kink_are_continuous_at_zero_and_the_kink_is_not(name):
    derivative = activation_named(name)
    for order in range(4):
        left, right = jax.jit(jax.vmap(derivative))(jnp.asarray([-1e-9, 1e-9]))
        jump = abs(float(right - left))
        if order == KINKED.get(name):
            assert jump > 0.5
            return
        assert jump < 1e-7
        derivative = jax.grad(derivative)


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("relu", lambda x: np.maximum(x, 0)),
        ("elu", lambda x: np.where(x > 0, x, np.expm1(x))),
        ("swish", lambda x: x / (1 + np.exp(-x))),
        ("softplus", lambda x: np.log1p(np.exp(x))),
        ("gelu", lambda x: x / 2 * (1 + scipy.special.erf(x / np.sqrt(2)))),
        ("gelu-tanh", lambda x: x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))),
        ("identity", lambda x: x),
        ("tanh", np.tanh),
    ],
)
def test_each_activation_is_its_formula(name, formula):
    points = np.linspace(-4, 4, 33)
    np.testing.assert_allclose(activation_named(name)(jnp.asarray(points)), formula(points), atol=1e-14)


@pytest.mark.parametrize("make", [lambda a: MLP((2, 2), a), lambda a: CNN((8, 8, 1), activation=a)])
def test_an_unknown_activation_is_refused_with_the_nearest_one(make):
    with pytest.raises(ValueError, match="`activation` 'tahn' is unknown; did you mean .*tanh"):
        make("tahn")


# Convolutional network


def convolved(image: np.ndarray, filters: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """3x3 cross-correlation of (height, width, in) with (3, 3, in, out), zeros beyond the border."""
    height, width, _ = image.shape
    padded = np.pad(image, ((1, 1), (1, 1), (0, 0)))
    out = np.zeros((height, width, filters.shape[-1]))
    for row in range(height):
        for column in range(width):
            out[row, column] = np.einsum("hwi,hwio->o", padded[row : row + 3, column : column + 3], filters) + bias
    return out


def pooled(image: np.ndarray) -> np.ndarray:
    return (image[::2, ::2] + image[1::2, ::2] + image[::2, 1::2] + image[1::2, 1::2]) / 4


def test_the_cnn_is_two_convolutions_each_pooled_and_a_dense_layer():
    network = CNN((8, 4, 2), channels=(3, 2), outputs=5)
    flat, unravel = ravel_pytree(network.init(0))
    params = unravel(flat + 0.1 * np.random.default_rng(0).standard_normal(flat.size))
    images = np.random.default_rng(1).standard_normal((3, 8, 4, 2))
    outputs = network(params, jnp.asarray(images.reshape(3, -1)))
    assert outputs.shape == (3, 5)
    first, second = ({name: np.asarray(a) for name, a in layer.items()} for layer in params["filters"])
    for image, output in zip(images, outputs, strict=True):
        hidden = pooled(np.tanh(convolved(image, first["weight"], first["bias"])))
        hidden = pooled(np.tanh(convolved(hidden, second["weight"], second["bias"])))
        expected = hidden.ravel() @ np.asarray(params["dense"]["weight"]) + np.asarray(params["dense"]["bias"])
        np.testing.assert_allclose(output, expected, atol=1e-13)


def test_a_pattern_moved_by_four_pixels_moves_the_features_by_one():
    network = CNN((20, 20, 1), channels=(2, 3), outputs=75)
    params = network.init(0)
    params["dense"]["weight"] = jnp.eye(75)  # the outputs are then the features, 5 x 5 of 3 channels
    pattern = np.random.default_rng(0).standard_normal((4, 4))
    features = []
    for row, column in ((4, 4), (8, 12)):
        image = np.zeros((20, 20))
        image[row : row + 4, column : column + 4] = pattern
        features.append(np.asarray(network(params, jnp.asarray(image.reshape(1, -1)))).reshape(5, 5, 3))
    assert np.abs(features[0]).max() > 0.01
    np.testing.assert_allclose(np.roll(features[0], (1, 2), axis=(0, 1)), features[1], atol=1e-14)


def test_average_pooling_drops_an_odd_last_row_and_column():
    images = jnp.arange(15.0).reshape(1, 3, 5, 1)
    assert average_pool(images)[0, :, :, 0].tolist() == [[3.0, 5.0]]


@pytest.mark.parametrize("image", [(28, 28, 1), (32, 32, 3), (4, 4, 1), (7, 9, 2)])
def test_the_cnn_takes_every_image_of_four_by_four_pixels_or_more(image):
    network = CNN(image, (2, 3), 10)
    assert jax.jit(lambda w, x: network(w, x))(network.init(0), jnp.ones((6, np.prod(image)))).shape == (6, 10)


def test_the_filters_have_the_variance_of_their_fan_in():
    filters = CNN((8, 8, 3), channels=(64, 64)).init(0, gain=0.5)["filters"]
    assert np.std(filters[1]["weight"]) == pytest.approx(0.5 / np.sqrt(9 * 64), rel=0.02)


@pytest.mark.parametrize("channels", [(3,), (3, 4, 5), (0, 2)])
def test_channels_that_are_not_two_positive_numbers_are_refused(as_installed, channels):
    with pytest.raises(ValueError, match="`channels` must be two positive integers, got"):
        CNN((8, 8, 1), channels)


def test_an_image_too_small_to_be_pooled_twice_is_refused():
    with pytest.raises(ValueError, match="`image` must be at least 4 x 4 pixels to be pooled twice, got"):
        CNN((3, 8, 1))


# Seeds


@pytest.mark.parametrize("make", [functools.partial(MLP, (5, 4, 3)), functools.partial(CNN, (8, 8, 1), (2, 2))])
def test_the_same_seed_gives_the_same_weights_and_another_seed_others(make):
    first, again, other = (ravel_pytree(make().init(seed))[0] for seed in (7, 7, 8))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.1
