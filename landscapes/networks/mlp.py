"""The multilayer perceptron as a plain function of a pytree of arrays, and the dense layer it starts from."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Inexact

from ..problem import Params
from .activations import activation_named


def dense_layer(random: np.random.Generator, fan_in: int, fan_out: int, gain: float = 1.0) -> dict[str, Array]:
    """Weights N(0, 2 gain^2 / (fan_in + fan_out)) (Glorot and Bengio 2010), biases 0."""
    weight = random.standard_normal((fan_in, fan_out)) * gain * np.sqrt(2 / (fan_in + fan_out))
    return {"weight": jnp.asarray(weight), "bias": jnp.zeros(fan_out)}


def layer_stream(seed: int, layer: int) -> np.random.Generator:
    """A stream of its own for each layer: widening one layer leaves the start of the others as it was."""
    return np.random.default_rng((seed, layer))


class MLP(eqx.Module):
    """x -> W_d s(... s(W_1 x + b_1) ...) + b_d.   sizes: (inputs, hidden..., outputs)."""

    sizes: tuple[int, ...] = eqx.field(static=True)
    activation: str = eqx.field(static=True, default="tanh")

    def __check_init__(self):
        activation_named(self.activation)
        if len(self.sizes) < 2 or min(self.sizes) < 1:
            raise ValueError(f"`widths` must be positive integers, got layer sizes {self.sizes}.")

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
