"""Explicit Runge-Kutta steps along the negative gradient, used as optimizers."""

from fractions import Fraction
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from landscapes import Params

from ..method import Gradient, Method, check_learning_rate
from ..registered import named
from ..traits import Stages, Threshold
from .tableaux import HEUN, KUTTA_3, KUTTA_4, MIDPOINT, Tableau


@named("midpoint", tableau=MIDPOINT)
@named("heun", tableau=HEUN)
@named("kutta-3", tableau=KUTTA_3)
@named("kutta-4", tableau=KUTTA_4)
class RungeKutta(Method):
    """k_i = -grad L(x + h sum_{j<i} a_ij k_j);  x <- x + h sum_i b_i k_i      (Kutta 1901; h = learning_rate)

    tableau: (rows of a below the diagonal, weights b) as whole numbers, fractions or floats: `tableaux.MIDPOINT`,
    `HEUN`, `KUTTA_3`, `KUTTA_4`, or your own. It has no state, and costs one gradient a stage.
    Raises ValueError for rows that do not fit, or weights that do not add up to 1.
    """

    learning_rate: Any
    matrix: tuple[tuple[Fraction, ...], ...] = eqx.field(static=True)
    weights: tuple[Fraction, ...] = eqx.field(static=True)

    def __init__(self, learning_rate: Any, tableau: Tableau = KUTTA_4):
        matrix, weights = tableau
        self.learning_rate = learning_rate
        self.matrix = tuple(tuple(map(_exact, row)) for row in matrix)
        self.weights = _rounded_to_one(tuple(map(_exact, weights)))

    def __check_init__(self):
        check_learning_rate(self.learning_rate)
        if [len(row) for row in self.matrix] != list(range(len(self.weights))):
            raise ValueError(
                f"`tableau` must have rows of 0, 1, ..., {len(self.weights) - 1} entries, one for each of its "
                f"{len(self.weights)} weights, got {[len(row) for row in self.matrix]}."
            )
        if sum(self.weights) != 1:
            raise ValueError(f"`tableau` must have weights that add up to 1, got {sum(self.weights)}.")

    @property
    def gradients_per_step(self) -> int:  # type: ignore[override]
        """One for each stage."""
        return len(self.weights)

    def init(self, params: Params) -> tuple[()]:
        del params
        return ()

    def step(self, gradient: Gradient, params: Params, state: tuple[()]) -> tuple[Params, tuple[()]]:
        slopes: list[Params] = []
        for row in self.matrix:
            slopes.append(jax.tree.map(jnp.negative, gradient(self._moved(params, row, slopes))))
        return self._moved(params, self.weights, slopes), state

    def state_after(self, gradient: Gradient, previous: Params, params: Params) -> tuple[()]:
        del gradient, previous
        return self.init(params)

    def stability_polynomial(self) -> np.polynomial.Polynomial:
        """R(-z), the factor of one step on a quadratic mode of curvature z/h."""
        return self.recursion().stability_polynomial()

    def characteristic(self, z: Any) -> tuple[Any, ...]:
        return 1.0, -self.stability_polynomial()(z)

    def recursion(self) -> Stages:
        return Stages(self.matrix, self.weights)

    def threshold(self) -> Threshold | None:
        """z/h with the smallest z > 0 at which the stability polynomial R(-z) leaves [-1, 1]."""
        if not self.is_constant:
            return None
        polynomial = self.stability_polynomial()
        # R(-z) = 1 - z + ... has a root of R - 1 at 0, which is not where stability ends; nor is where it only touches.
        edges = np.concatenate([(polynomial - 1).roots(), (polynomial + 1).roots()])
        real = np.sort(edges.real[(np.abs(edges.imag) < 1e-6) & (edges.real > 1e-9)])
        leaves = next(z for z in real if abs(polynomial(z * (1 + 1e-4))) > 1)
        return Threshold(float(leaves) / self.learning_rate, np.pi if polynomial(leaves) < 0 else 0.0)

    def _moved(self, params: Params, row: tuple[Fraction, ...], slopes: list[Params]) -> Params:
        for weight, slope in zip(row, slopes, strict=False):
            if weight:
                factor = self.learning_rate * float(weight)
                params = jax.tree.map(lambda x, k, factor=factor: x + factor * k, params, slope)
        return params


def _exact(entry: Any) -> Fraction:
    if isinstance(entry, int | Fraction):
        return Fraction(entry)
    if not np.isfinite(entry):
        raise ValueError(f"`tableau` must hold finite numbers, got {entry}.")
    return Fraction(repr(float(entry)))


def _rounded_to_one(weights: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    """Weights written as decimals may miss 1 by their rounding, which the last one takes up."""
    *first, last = weights
    return (
        (*first, 1 - sum(first, start=Fraction(0))) if abs(sum(weights) - 1) < Fraction(1, 10**12) else (*first, last)
    )
