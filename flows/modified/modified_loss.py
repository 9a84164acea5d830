"""The modified loss: the one whose gradient flow meets the iterates to order 2."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from discrete import Method
from landscapes import Loss, Params

from .coefficients import coefficients
from .method_scheme import scheme_of
from .trees import LEAF


def penalty(method: Method) -> float:
    """c in the modified loss (L + c h |grad L|^2) / (1 - b): -(1 - b)/2 times the coefficient of f'f.

    gradient descent   1/4                                  (Barrett and Dherin 2021, theorem 3.1)
    heavy ball         (1 + b) / (4 (1 - b)^2)              (Kovachki and Stuart 2021, section 4; Ghosh et al. 2023)
    Nesterov           (1 - b + 2 b^2) / (4 (1 - b)^2)      (Kovachki and Stuart 2021, section 4)

    Raises ValueError for a method without modified equation, and for one with a schedule.
    """
    scheme = scheme_of(method)
    return float(-coefficients(scheme, 2)[(LEAF,)] * (1 - scheme.momentum) / 2)


def modified_loss(method: Method, loss: Loss) -> Callable[[Params], Float[Array, ""]]:
    """L + c h |grad L|^2, with c the method's `penalty`: the implicit regularization of its gradient's size.

    >>> float(modified_loss(GradientDescent(0.4), lambda w: 0.5 * w @ w)(jnp.ones(2)))
    1.2
    """
    weight = penalty(method) * method.learning_rate

    def modified(params: Params) -> Float[Array, ""]:
        gradient = jax.grad(loss)(params)
        return loss(params) + weight * sum(jnp.sum(g**2) for g in jax.tree.leaves(gradient))

    return modified
