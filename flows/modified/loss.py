"""The modified loss: the one whose gradient flow meets the iterates to order 2."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from discrete import GradientDescent, HeavyBall, Method, Nesterov
from landscapes import Loss, Params

from ..flow import check_constant


def penalty(method: Method) -> Any:
    """c in the modified loss (L + c h |grad L|^2) / (1 - b).

    gradient descent   1/4                                  (Barrett and Dherin 2021, theorem 3.1)
    heavy ball         (1 + b) / (4 (1 - b)^2)              (Kovachki and Stuart 2021, section 4; Ghosh et al. 2023)
    Nesterov           (1 - b + 2 b^2) / (4 (1 - b)^2)      (Kovachki and Stuart 2021, section 4)

    Raises ValueError for any other method, and for one with a schedule.
    """
    if isinstance(method, GradientDescent | HeavyBall | Nesterov):
        check_constant("the modified loss", method)
    match method:
        case GradientDescent():
            return 0.25
        case HeavyBall(momentum=b):
            return (1 + b) / (4 * (1 - b) ** 2)
        case Nesterov(momentum=b):
            return (1 - b + 2 * b**2) / (4 * (1 - b) ** 2)
    raise ValueError(
        f"the modified loss exists for GradientDescent, HeavyBall and Nesterov, not for {type(method).__name__}."
    )


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
