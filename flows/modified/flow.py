"""Modified flows: the vector field that passes through the iterates to a chosen order."""

from typing import Any

import equinox as eqx
import jax

from discrete import Method
from landscapes import Loss, Params, gradient_and_product

from ..flow import FieldCost, Flow
from ..gradient_flow import momentum_of
from .loss import penalty

HIGHEST_ORDER = 2


class ModifiedFlow(Flow):
    """dX/dt = -grad( L + c h |grad L|^2 )(X) / (1 - b),  x_n ~ X(n h)      (order 2; c: `modified.penalty`)

    Backward error analysis (Hairer, Lubich and Wanner 2006, chapter IX): the field written out is
    -(grad L + 2 c h H grad L) / (1 - b), one gradient and one Hessian product. Order 1 is gradient flow.
    Claims order p = `order` at fixed time, for momentum on the slow manifold (Kovachki and Stuart 2021, theorem 9): a
    run from rest is shifted by O(h) once the transient has died, and then so is its distance.
    Raises ValueError for a method without modified equation, and for an order other than 1 or 2.
    """

    method: Method
    order: int = eqx.field(static=True, default=2)

    def __check_init__(self):
        if self.order not in range(1, HIGHEST_ORDER + 1):
            raise ValueError(f"`ModifiedFlow(order=...)` must lie between 1 and {HIGHEST_ORDER}, got {self.order!r}.")
        penalty(self.method)

    @property
    def field_cost(self) -> FieldCost:
        """One gradient, and one Hessian product at order 2."""
        return FieldCost(gradients=1, hessian_products=self.order - 1)

    def vector_field(self, loss: Loss, t: Any, state: Params) -> Params:
        del t
        speed = -1 / (1 - momentum_of(self.method))
        gradient = jax.grad(loss)(state)
        if self.order == 1:
            return jax.tree.map(lambda g: speed * g, gradient)
        weight = 2 * penalty(self.method) * self.method.learning_rate
        _, product = gradient_and_product(loss, state, gradient)
        return jax.tree.map(lambda g, hg: speed * (g + weight * hg), gradient, product)
