"""A small convolutional network as a plain function of a pytree of arrays."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..memory import check_memory
from ..problem import Params
from .activations import activation_named
from .mlp import COPIES, dense_layer, layer_stream


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
