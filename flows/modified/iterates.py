"""The modified field from the method's own iterates: the logarithm of its step, with gradients only."""

from fractions import Fraction
from math import prod
from typing import Any, ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array

from discrete import Method
from discrete.running.step import Oracle, take_step
from discrete.traits import Recursion, Restarted
from landscapes import Loss, Params

from ..flow import FieldCost, Start, check_constant
from ..registered import named
from ..running.ode import ODEFlow
from .coefficients import check_order
from .quadratic import convergence_radius

HIGHEST_ORDER = 12

Stencil = Literal["forward", "centred"]


@named("iterates-P", "modified flow of order P from the iterates, gradients only", suggested=False)
class IterateFlow(ODEFlow):
    """dX/dt = (1/h) sum_{k=1}^p (-1)^(k+1)/k Delta^k x_0,  x_0 = X,  x_1, ..., x_p the next iterates of the method

    The logarithm of the step map, log(1 + Delta), after p terms: the derivative at x_0 of the polynomial through the
    iterates. Of the same order p as `ModifiedFlow`, without derivatives of the gradient, for any one-step method as a
    black box; about p gradients.

    stencil: "forward" takes the iterates 0, ..., p, and leaves out h^p/(p+1) X^(p+1). "centred" takes -1, ..., p - 1,
        where x_{-1} is extrapolated and corrected once through the step, and leaves out 1/p of that, plus
        h^p/p f'X^(p) from the correction. Both cost p gradients. Differences of iterates lose about 2^p epsilon |x|/h
        to rounding: in float32 and with small steps take `ModifiedFlow`.
    On a quadratic both agree identically with the truncated series of `ModifiedFlow`: a polynomial of degree p in the
    Hessian whose error is of degree p + 1 is that series.
    Raises ValueError for a method with a state, such as momentum, and for an order below 1 or above 12.
    """

    method: Method
    real_spectrum: ClassVar[bool] = True
    order: int = eqx.field(static=True, default=2)
    stencil: Stencil = eqx.field(static=True, default="forward")

    def __check_init__(self):
        check_constant("IterateFlow", self.method)
        if self.stencil not in ("forward", "centred"):
            raise ValueError(f"`stencil` must be 'forward' or 'centred', got {self.stencil!r}.")
        check_order(self.order, HIGHEST_ORDER)
        if isinstance(self.method.recursion(), Recursion | Restarted):
            raise _stateful(self.method)

    def init(self, loss: Loss, start: Start) -> Params:
        del loss
        if jax.tree.leaves(self.method.init(start.params)):
            raise _stateful(self.method)
        return start.params

    @property
    def series_radius(self) -> float | None:
        """`convergence_radius` above order 1; None for an own method, whose polynomial is not known."""
        if self.order == 1:
            return None
        try:
            return convergence_radius(self.method)
        except ValueError:
            return None

    @property
    def field_cost(self) -> FieldCost:
        """p gradients, or p times what a step costs."""
        return FieldCost(gradients=self.order * self.method.gradients_per_step)

    def vector_field(self, loss: Loss, t: Any, state: Params) -> Params:
        del t
        centred = self.stencil == "centred" and self.order > 1
        ahead = self.order - 1 if centred else self.order
        points = {0: state}
        for n in range(ahead):
            points[n + 1] = self._step(loss, points[n])
        if centred:
            points[-1] = self._before(loss, points)
        away = {n: optax.tree.sub(point, state) for n, point in points.items() if n}
        weights = dict(zip(sorted(points), derivative_weights(sorted(points)), strict=True))
        return _combined([float(weights[n]) / self.method.learning_rate for n in away], list(away.values()))

    def _step(self, loss: Loss, params: Params) -> Params:
        return take_step(self.method, Oracle(loss), params, self.method.init(params))[0]

    def _before(self, loss: Loss, points: dict[int, Params]) -> Params:
        """x_{-1}: extrapolated from the iterates, then moved by as much as its step misses x_0."""
        weights = lagrange_weights(sorted(points), at=-1)
        guess = _combined([float(weight) for weight in weights], [points[n] for n in sorted(points)])
        return jax.tree.map(lambda y, x, reached: y + (x - reached), guess, points[0], self._step(loss, guess))


def _stateful(method: Method) -> ValueError:
    return ValueError(
        f"IterateFlow needs a method without state, got {type(method).__name__}; "
        "for momentum take ModifiedFlow, which knows the slow manifold."
    )


def _combined(weights: list[Any], vectors: list[Params]) -> Params:
    def sum_of(*leaves: Array) -> Array:
        total = jnp.zeros_like(leaves[0])
        for weight, leaf in zip(weights, leaves, strict=True):
            total = (total + weight * leaf).astype(total.dtype)
        return total

    return jax.tree.map(sum_of, *vectors)


def derivative_weights(nodes: list[int]) -> list[Fraction]:
    """w with  P'(0) = sum_i w_i P(nodes[i])  for polynomials of degree below their number."""
    return [
        sum(
            (
                Fraction(1, i - skipped) * _basis([k for k in nodes if k not in (i, skipped)], i, at=0)
                for skipped in nodes
                if skipped != i
            ),
            start=Fraction(0),
        )
        for i in nodes
    ]


def lagrange_weights(nodes: list[int], at: int) -> list[Fraction]:
    """w with  P(at) = sum_i w_i P(nodes[i])."""
    return [_basis([k for k in nodes if k != i], i, at) for i in nodes]


def _basis(others: list[int], i: int, at: int) -> Fraction:
    return prod((Fraction(at - k, i - k) for k in others), start=Fraction(1))
