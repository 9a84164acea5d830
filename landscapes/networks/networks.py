"""Networks as plain functions of a pytree of arrays: multilayer perceptron and a small convolutional network."""

import functools
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Inexact

from ..memory import check_memory
from ..named import unknown
from ..problem import Params

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    # As in PyTorch; jax.nn.gelu is the approximation unless told otherwise.
    "gelu": functools.partial(jax.nn.gelu, approximate=False),
    "gelu-tanh": jax.nn.gelu,
    "elu": jax.nn.elu,
    "swish": jax.nn.swish,
    "softplus": jax.nn.softplus,
    "identity": lambda x: x,
}

# A run holds at least its start, the current point and a gradient.
COPIES = 3
MOST_LAYERS = 100


def activation_named(name: str) -> Callable[[Array], Array]:
    """The activation function of that name; ValueError names the nearest ones otherwise."""
    if name not in ACTIVATIONS:
        raise unknown("activation", name, ACTIVATIONS)
    return ACTIVATIONS[name]


def dense_layer(random: np.random.Generator, fan_in: int, fan_out: int, gain: float = 1.0) -> dict[str, Array]:
    """Weights N(0, 2 gain^2 / (fan_in + fan_out)) (Glorot and Bengio 2010), biases 0."""
    weight = random.standard_normal((fan_in, fan_out)) * gain * np.sqrt(2 / (fan_in + fan_out))
    return {"weight": jnp.asarray(weight), "bias": jnp.zeros(fan_out)}


def layer_stream(seed: int, layer: int) -> np.random.Generator:
    """A stream of its own for each layer: widening one layer leaves the start of the others as it was."""
    return np.random.default_rng((seed, layer))


def check_depth(argument: str, layers: int) -> None:
    """ValueError for more layers than compile in reasonable time, each being compiled by itself."""
    if layers > MOST_LAYERS:
        raise ValueError(
            f"`{argument}` asks for {layers} layers; at most {MOST_LAYERS} are taken, because each is compiled by "
            "itself and the compiler would not come to an end."
        )


class MLP(eqx.Module):
    """x -> W_d s(... s(W_1 x + b_1) ...) + b_d.   sizes: (inputs, hidden..., outputs)."""

    sizes: tuple[int, ...] = eqx.field(static=True)
    activation: str = eqx.field(static=True, default="tanh")

    def __check_init__(self):
        activation_named(self.activation)
        if len(self.sizes) < 2 or min(self.sizes) < 1:
            raise ValueError(f"`widths` must be positive integers, got layer sizes {self.sizes}.")
        check_depth("widths", len(self.sizes) - 1)
        weights = sum((fan_in + 1) * fan_out for fan_in, fan_out in zip(self.sizes[:-1], self.sizes[1:], strict=True))
        check_memory(weights, times=COPIES, widths=self.sizes[1:-1])

    def init(self, seed: int, *, gain: float = 1.0, first_gain: float | None = None) -> Params:
        """Starting weights; the same seed gives the same numbers in every precision. first_gain: of the first layer."""
        pairs = zip(self.sizes[:-1], self.sizes[1:], strict=True)
        gains = [gain if first_gain is None else first_gain] + [gain] * (len(self.sizes) - 2)
        layers = enumerate(zip(pairs, gains, strict=True))
        return [dense_layer(layer_stream(seed, i), *sizes, layer_gain) for i, (sizes, layer_gain) in layers]

    def __call__(self, params: Params, inputs: Float[Array, "examples inputs"]) -> Inexact[Array, "examples outputs"]:
        activate = activation_named(self.activation)
        hidden = inputs
        for layer in params[:-1]:
            hidden = activate(hidden @ layer["weight"] + layer["bias"])
        return hidden @ params[-1]["weight"] + params[-1]["bias"]


class CNN(eqx.Module):
    """Two 3x3 convolutions, each followed by the activation and 2x2 average pooling, then one dense layer.

    image: (height, width, channels). Average pooling keeps the network as smooth as its activation.
    """

    image: tuple[int, int, int] = eqx.field(static=True)
    channels: tuple[int, int] = eqx.field(static=True, default=(16, 16))
    outputs: int = eqx.field(static=True, default=10)
    activation: str = eqx.field(static=True, default="tanh")

    def __check_init__(self):
        activation_named(self.activation)
        if len(self.channels) != 2 or min(self.channels) < 1:
            raise ValueError(f"`channels` must be two positive integers, got {self.channels}.")
        first, second = self.channels
        height, width, _ = self.image
        weights = 9 * first * (self.image[2] + second) + height * width // 16 * second * self.outputs
        check_memory(weights, times=COPIES, channels=self.channels)
        if min(self.image[:2]) < 4:
            raise ValueError(f"`image` must be at least 4 x 4 pixels to be pooled twice, got {self.image}.")

    def init(self, seed: int, *, gain: float = 1.0) -> Params:
        """Starting weights: filters N(0, gain^2 / fan_in), dense layer as in the MLP, biases 0."""
        height, width, channels = self.image
        filters = []
        for i, (fan_in, fan_out) in enumerate(((channels, self.channels[0]), self.channels)):
            weight = layer_stream(seed, i).standard_normal((3, 3, fan_in, fan_out)) * gain / np.sqrt(9 * fan_in)
            filters.append({"weight": jnp.asarray(weight), "bias": jnp.zeros(fan_out)})
        features = (height // 4) * (width // 4) * self.channels[1]
        return {"filters": filters, "dense": dense_layer(layer_stream(seed, 2), features, self.outputs, gain)}

    def __call__(self, params: Params, inputs: Float[Array, "examples pixels"]) -> Float[Array, "examples outputs"]:
        activate = activation_named(self.activation)
        hidden = inputs.reshape(-1, *self.image)
        for layer in params["filters"]:
            hidden = jax.lax.conv_general_dilated(
                hidden, layer["weight"], (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
            )
            hidden = average_pool(activate(hidden + layer["bias"]))
        flat = hidden.reshape(hidden.shape[0], -1)
        return flat @ params["dense"]["weight"] + params["dense"]["bias"]


def average_pool(images: Float[Array, "examples height width channels"]) -> Array:
    """Means over 2x2 windows; an odd last row or column is dropped."""
    examples, height, width, channels = images.shape
    even = images[:, : height // 2 * 2, : width // 2 * 2]
    return even.reshape(examples, height // 2, 2, width // 2, 2, channels).mean(axis=(2, 4))
