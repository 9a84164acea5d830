"""A network whose hidden weights matter by direction alone and whose output weights matter by difference alone."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..data.datasets import digits
from ..losses.criteria import cross_entropy
from ..losses.data_loss import DataLoss
from ..memory import check_memory
from ..problem import Params, Problem
from ..registered import problem_builder
from ..settings import Activation, Examples, Gain, Seed, TestExamples, Widths
from .mlp import MLP


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


@problem_builder("normalized-mlp")
def normalized_mlp(
    *,
    widths: Widths = (16,),
    activation: Activation = "tanh",
    examples: Examples = 200,
    gain: Gain = 1.0,
    seed: Seed = 0,
    test_examples: TestExamples = None,
) -> Problem:
    """NormalizedMLP with cross-entropy on scikit-learn's 8x8 digits.

    Softmax sees differences between classes alone: adding the same column to all columns of the output weights, or the
    same number to all output biases, changes nothing, so the gradient of either sums to 0 over the classes.
    """
    data = digits(examples, test_examples)
    network = NormalizedMLP(MLP((data.inputs.shape[1], *widths, data.classes), activation))
    check_memory(examples * sum(widths), examples=examples, widths=widths)
    loss = DataLoss(network, cross_entropy, data.inputs, data.one_hot())
    test = data.test and DataLoss(network, cross_entropy, data.test.inputs, data.test.one_hot())
    return Problem.on_data("normalized-mlp", loss, network.init(seed, gain=gain), test=test)
