"""Modified flows: the vector field that passes through the iterates of a method, to any order."""

from typing import Any, ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float

from discrete import Method
from landscapes import Loss, Params

from ..flow import FieldCost, Start
from ..registered import named
from ..running.ode import ODEFlow
from .coefficients import check_order, coefficients, first_order_left_out
from .differentials import Field, combination, products
from .method_scheme import scheme_of
from .quadratic import convergence_radius
from .rest import rest_coefficients
from .trees import Tree, order as order_of

HIGHEST_ORDER = 8
OPTIMAL_UP_TO = 5

Origin = Literal["params", "rest"]


@named("modified-P", "modified flow of order P, e.g. modified-3", suggested=False)
@named("modified-P-rest", "the same from where a start at rest seems to come from", suggested=False, start="rest")
@named("modified-optimal", "modified flow up to its smallest term", suggested=False, order="optimal")
class ModifiedFlow(ODEFlow):
    """dX/dt = sum over trees up to order p of h^(order(tree) - 1) c(tree) F(tree)(X),  x_n ~ X(n h)

    Backward error analysis (Hairer, Lubich and Wanner 2006, chapter IX), for momentum methods on their slow manifold.
    F(tree) are the elementary differentials of f = -grad L: f, f'f, f''(f, f), ...; c(tree) are exact
    (`modified.coefficients`). For gradient descent
        X' = f - h/2 f'f + h^2 (1/12 f''(f, f) + 1/3 f'f'f) - ...
    Order 1 is gradient flow, order 2 the gradient flow of the modified loss (`modified_loss`).

    order: p, claimed at fixed time: max |x_n - X(n h)| = O(h^p). Where the next terms vanish, as for a Runge-Kutta
        method, the claim is the higher order that this gives. "optimal" adds, at every point, the terms before the
        smallest of the first 5: the series is asymptotic, and on a mode of curvature s it diverges beyond the
        `convergence_radius` of h s. Where that choice jumps the field does too; nothing is claimed.
    start: where X begins. "params": at the params of the method, right for a start on the slow manifold. "rest": where
        the iterates of a momentum method that starts at rest seem to come from once its transient ~ b^n has died, to
        O(h^p) (`rest_coefficients`); then the claim holds after the transient, and not before it.
    The loss must have p + 1 continuous derivatives: across the kinks of relu orders above 1 are not claimed
    (`third_derivative_vanishes` tells when automatic differentiation sees no bend at all).
    Raises ValueError for a method without modified equation (`scheme_of`) and for an order below 1 or above 8.
    """

    method: Method
    real_spectrum: ClassVar[bool] = True
    order: int | None = eqx.field(static=True)
    truncation: int | Literal["optimal"] = eqx.field(static=True)
    start: Origin = eqx.field(static=True)
    trees: tuple[Tree, ...] = eqx.field(static=True)
    rest_trees: tuple[Tree, ...] = eqx.field(static=True)
    weights: np.ndarray
    rest_weights: np.ndarray

    def __init__(self, method: Method, order: int | Literal["optimal"] = 2, start: Origin = "params"):
        if start not in ("params", "rest"):
            raise ValueError(f"`start` must be 'params' or 'rest', got {start!r}.")
        if order == "optimal" and start == "rest":
            raise ValueError(
                "`start` 'rest' needs a fixed `order`: the series of the start diverges like that of the field."
            )
        scheme = scheme_of(method)
        highest = OPTIMAL_UP_TO if order == "optimal" else order
        check_order(highest, HIGHEST_ORDER)
        self.method, self.start = method, start
        self.truncation = "optimal" if order == "optimal" else int(order)
        self.order = None if order == "optimal" else first_order_left_out(scheme, highest) - 1
        self.trees, self.weights = kept(coefficients(scheme, highest))
        # A start that is off by O(h^p) leaves the order as it is.
        shift = rest_coefficients(scheme, highest - 1) if start == "rest" and highest > 1 else {}
        self.rest_trees, self.rest_weights = kept(shift)

    @property
    def expects_rest(self) -> bool:
        """Whether its start is moved, to where iterates from rest seem to come from."""
        return bool(self.rest_trees)

    @property
    def series_radius(self) -> float | None:
        """`convergence_radius`; None at order 1, and where the series stops in time."""
        return None if self.truncation in (1, "optimal") else convergence_radius(self.method)

    @property
    def field_cost(self) -> FieldCost:
        """One gradient, and a Hessian product for each derivative slot (see `differentials.products`)."""
        return FieldCost(gradients=1, hessian_products=products(self.trees))

    def init(self, loss: Loss, start: Start) -> Params:
        if not self.rest_trees:
            return start.params
        weights = dict(zip(self.rest_trees, self.rest_weights, strict=True))
        return optax.tree.add(start.params, combination(self._step_along(loss), start.params, weights))

    def vector_field(self, loss: Loss, t: Any, state: Params) -> Params:
        del t
        if self.truncation == "optimal":
            return self._optimal(loss, state)
        weights = dict(zip(self.trees, self.weights, strict=True))
        return self._per_time(combination(self._step_along(loss), state, weights))

    def terms(self, loss: Loss, params: Params) -> Float[Array, " p"]:
        """|h^(k-1) F_k|, the norm of each order k = 1, ..., p of the field: once they grow, the series has diverged."""
        return jnp.stack([optax.tree.norm(term) for term in self._terms(loss, params)])

    def _terms(self, loss: Loss, params: Params) -> list[Params]:
        highest = OPTIMAL_UP_TO if self.truncation == "optimal" else self.truncation
        by_order: dict[int, dict[Tree, Any]] = {k: {} for k in range(1, highest + 1)}
        for tree, weight in zip(self.trees, self.weights, strict=True):
            by_order[order_of(tree)][tree] = weight
        step = self._step_along(loss)
        return [self._per_time(combination(step, params, weights)) for weights in by_order.values()]

    def _optimal(self, loss: Loss, params: Params) -> Params:
        # An order that the method does not have is no sign of a smallest term.
        present = {order_of(tree) for tree in self.trees}
        terms = [term for k, term in enumerate(self._terms(loss, params), start=1) if k in present]
        sizes = jnp.stack([optax.tree.norm(term) for term in terms])
        used = jnp.arange(len(terms)) < jnp.maximum(jnp.argmin(sizes), 1)
        return jax.tree.map(lambda *leaves: sum(jnp.where(u, leaf, 0) for u, leaf in zip(used, leaves)), *terms)  # noqa: B905

    def _step_along(self, loss: Loss) -> Field:
        """h f: with the learning rate inside, the weights are pure numbers."""
        return lambda x: jax.tree.map(lambda g: (-self.method.learning_rate * g).astype(g.dtype), jax.grad(loss)(x))

    def _per_time(self, step: Params) -> Params:
        return jax.tree.map(lambda leaf: (leaf / self.method.learning_rate).astype(leaf.dtype), step)


def kept(known: dict[Tree, Any]) -> tuple[tuple[Tree, ...], np.ndarray]:
    """The trees whose coefficients do not vanish, and those as floats."""
    kept = {tree: float(value) for tree, value in known.items() if value}
    return tuple(kept), np.array(list(kept.values()))
