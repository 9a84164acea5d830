"""The multilayer perceptron as a plain function of a pytree of arrays, and the dense layer it starts from."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Inexact

from ..memory import check_memory
from ..problem import Params
from .activations import activation_named

# A run holds at least its start, the current point and a gradient.
COPIES = 3
MOST_LAYERS = 100


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
