"""A network whose hidden weights matter by direction alone and whose output weights matter by difference alone."""

from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..data.datasets import digits
from ..losses.data_loss import DataLoss, cross_entropy
from ..memory import check_memory
from ..problem import Params, Problem
from .networks import MLP


class NormalizedMLP(eqx.Module):
    """The MLP with w/|w| for the incoming weights w of every hidden unit (Salimans and Kingma 2016, without gains).

    Its outputs do not change when such a w is scaled: w.g = 0 for the gradient g of any loss, H w = -g.
    params as of the MLP, weights (inputs, units): each column of a hidden layer is one w.
    """

    network: MLP

    def init(self, seed: int, *, gain: float = 1.0) -> Params:
        """Starting weights of the MLP; the gain of hidden weights is their length alone."""
        return self.network.init(seed, gain=gain)

    def __call__(self, params: Params, inputs: Float[Array, "examples inputs"]) -> Float[Array, "examples outputs"]:
        hidden = [{**layer, "weight": unit_columns(layer["weight"])} for layer in params[:-1]]
        return self.network([*hidden, params[-1]], inputs)


def unit_columns(weight: Float[Array, "inputs units"]) -> Float[Array, "inputs units"]:
    """Each column over its Euclidean length."""
    return weight / jnp.sqrt(jnp.sum(weight**2, axis=0, keepdims=True))


def normalized_mlp(
    *, widths: Sequence[int] = (16,), activation: str = "tanh", examples: int = 200, gain: float = 1.0, seed: int = 0
) -> Problem:
    """NormalizedMLP with cross-entropy on scikit-learn's 8x8 digits.

    Softmax sees differences between classes alone: adding the same column to all columns of the output weights, or the
    same number to all output biases, changes nothing, so the gradient of either sums to 0 over the classes.
    """
    data = digits(examples)
    network = NormalizedMLP(MLP((data.inputs.shape[1], *widths, 10), activation))
    check_memory(examples * sum(widths), examples=examples, widths=widths)
    loss = DataLoss(network, cross_entropy, data.inputs, data.one_hot())
    return Problem("normalized-mlp", loss, network.init(seed, gain=gain), predict=loss.predict, accuracy=loss.accuracy)
