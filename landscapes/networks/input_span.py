"""A network with more inputs than examples in the coordinates that training can reach: the same runs, fewer weights."""

import dataclasses

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..losses.data_loss import DataLoss
from ..problem import Params, Problem
from .mlp import MLP


def in_input_span(problem: Problem) -> Problem:
    """The problem of an MLP with its inputs, and its first weights, in the span of the examples.

    With X = R Q', the columns of Q (inputs, examples) orthonormal: inputs R (examples, examples), first weight Q'W_1.
    X W_1 = R (Q'W_1), and the gradient of W_1 lies in the span. So losses, distances, gradient norms and the nonzero
    eigenvalues of the Hessian are the same along every method and flow that treats all coordinates alike; RMSProp does
    not. The same problem where there are no more inputs than examples. Test examples have parts outside the span; the
    first weights that meet them stay as they started.
    Raises ValueError for a loss that is no DataLoss of an MLP, and for one with a ridge, which acts outside the span.
    """
    loss = problem.loss
    if not (isinstance(loss, DataLoss) and isinstance(loss.model, MLP)):
        raise ValueError(f"`problem` must be an MLP on data to be taken to the span of its data, got {problem.name}.")
    if loss.ridge:
        raise ValueError(f"`problem` must have no ridge to be taken to the span of its data, got {loss.ridge}.")
    examples, inputs = loss.inputs.shape
    if inputs <= examples:
        return problem
    basis = jnp.linalg.qr(loss.inputs.T)[0]
    network = MLP((examples, *loss.model.sizes[1:]), loss.model.activation)
    smaller = dataclasses.replace(loss, model=network, inputs=loss.inputs @ basis)
    first, *others = problem.params
    weight = basis.T @ first["weight"]
    test = problem.test_loss
    if isinstance(test, DataLoss):
        outside = first["weight"] - basis @ weight
        test = dataclasses.replace(test, model=FromSpan(loss.model, basis, outside))
    return Problem.on_data(problem.name, smaller, [{**first, "weight": weight}, *others], test=test)


class FromSpan(eqx.Module):
    """The whole network, from weights in the span of the examples: W_1 = Q W + (I - QQ') W_1 at the start."""

    network: MLP
    basis: Float[Array, "inputs examples"]
    outside: Float[Array, "inputs units"]

    def __call__(self, params: Params, inputs: Float[Array, "others inputs"]) -> Float[Array, "others outputs"]:
        first, *others = params
        return self.network([{**first, "weight": self.basis @ first["weight"] + self.outside}, *others], inputs)
