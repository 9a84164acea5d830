"""The error of a modified flow at leading order: a linear equation along the flow."""

from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax
import numpy as np
from jax.flatten_util import ravel_pytree

from discrete import Method
from landscapes import Loss, Params
from landscapes.curvature.directional import along

from ..flow import FieldCost, Start, limiting_speed
from ..running.ode import ODEFlow
from .coefficients import check_order, coefficients, first_order_left_out
from .differentials import combination, products
from .method_scheme import scheme_of
from .modified_flow import ModifiedFlow, kept
from .quadratic import convergence_radius
from .trees import Tree, trees_of_order

HIGHEST = 7


class ErrorState(NamedTuple):
    """A point X of the flow and its error E there, shaped alike."""

    point: Params
    error: Params


class LeadingError(ODEFlow):
    """X' = F_1 + h F_2 + ... + h^(p-1) F_p,  E' = F_1'(X) E + F_(p+1)(X),  E(0) = 0:  x_n = X(n h) + h^p E(n h) + ...

    The global error of the modified flow of order p, at leading order (Hairer, Lubich and Wanner 2006, chapter IX, read
    backwards). F_k are the terms of `ModifiedFlow` with k nested f = -grad L, F_1 = f/(1 - b). For gradient descent and
    p = 1: E' = -H E - (1/2) H g, driven by what the counter term of Miyagawa 2022 makes up for.

    Its params are X + h^p E, of order p + 1; `predictions` has E, flattened, as `leading_error`.
    order: what is claimed, p + 1; p is the order asked for, or the next one at which something is left out.
    trees, weights: of F_(p+1). E is linear in the weights: with those of f'...f'f put to 0 it is at leading order the
        error of the `PrincipalFlow` with all eigenpairs.
    Raises ValueError for a method without modified equation and for an order below 1 or above 7.
    """

    method: Method
    real_spectrum: ClassVar[bool] = True
    order: int = eqx.field(static=True)
    along: ModifiedFlow
    trees: tuple[Tree, ...] = eqx.field(static=True)
    weights: np.ndarray

    def __init__(self, method: Method, order: int = 1):
        scheme = scheme_of(method)
        check_order(order, HIGHEST)
        last = first_order_left_out(scheme, order)
        known = coefficients(scheme, last)
        self.method, self.order, self.along = method, last, ModifiedFlow(method, last - 1)
        self.trees, self.weights = kept({tree: known[tree] for tree in trees_of_order(last)})

    @property
    def series_radius(self) -> float | None:
        """`convergence_radius`: its error is the first term left out."""
        return convergence_radius(self.method)

    @property
    def field_cost(self) -> FieldCost:
        """That of the flow, a gradient and its product with E, and the products of what is left out."""
        flow = self.along.field_cost
        return FieldCost(flow.gradients + 1, flow.hessian_products + 1 + products(self.trees))

    def init(self, loss: Loss, start: Start) -> ErrorState:
        del loss
        return ErrorState(start.params, jax.tree.map(lambda leaf: leaf * 0, start.params))

    def params(self, state: ErrorState) -> Params:
        scale = self.method.learning_rate ** (self.order - 1)
        return jax.tree.map(lambda x, e: (x + scale * e).astype(x.dtype), *state)

    def predictions(self, loss: Loss, state: ErrorState) -> dict[str, Any]:
        """E: the distance to the iterates is h^p |E| + O(h^(p+1))."""
        del loss
        return {"leading_error": ravel_pytree(state.error)[0]}

    def vector_field(self, loss: Loss, t: Any, state: ErrorState) -> ErrorState:
        def downhill(x: Params) -> Params:
            return jax.tree.map(lambda g: -g, jax.grad(loss)(x))

        source = combination(downhill, state.point, dict(zip(self.trees, self.weights, strict=True)))
        _, product = along(downhill, (state.point,), (state.error,))
        speed = limiting_speed(self.method)
        carried = jax.tree.map(lambda p, s: (speed * p + s).astype(p.dtype), product, source)
        return ErrorState(self.along.vector_field(loss, t, state.point), carried)
