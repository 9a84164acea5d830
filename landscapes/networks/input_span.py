"""A network with more inputs than examples in the coordinates that training can reach: the same runs, fewer weights."""

import jax.numpy as jnp

from ..losses.data_loss import DataLoss
from ..problem import Problem
from .networks import MLP


def in_input_span(problem: Problem) -> Problem:
    """The problem of an MLP with its inputs, and its first weights, in the span of the examples.

    With X = R Q', the columns of Q (inputs, examples) orthonormal: inputs R (examples, examples), first weight Q'W_1.
    X W_1 = R (Q'W_1), and the gradient of W_1 lies in the span. So losses, distances, gradient norms and the nonzero
    eigenvalues of the Hessian are the same along every method and flow that treats all coordinates alike; RMSProp does
    not. The same problem where there are no more inputs than examples.
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
    smaller = DataLoss(network, loss.criterion, loss.inputs @ basis, loss.targets, micro_batch=loss.micro_batch)
    first, *others = problem.params
    params = [{**first, "weight": basis.T @ first["weight"]}, *others]
    return Problem(problem.name, smaller, params, predict=smaller.predict, accuracy=smaller.accuracy)
