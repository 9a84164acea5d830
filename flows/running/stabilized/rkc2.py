"""The Runge-Kutta-Chebyshev method of order 2."""

from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array

from .solver import Stabilized, combined

DAMPING = 2 / 13
# The stable interval over s^2 - 1.
REACH = 2 / 3 * (1 - 2 / 15 * DAMPING)


class _Carry(NamedTuple):
    start: Any
    first: Any
    before: Any


class RKC2(Stabilized):
    """y_1 = y + w~_1 dt f(y),  y_j = (1 - u_j - v_j) y + u_j y_{j-1} + v_j y_{j-2} + w~_j dt f(y_{j-1}) + g_j dt f(y)

    with the coefficients of Sommeijer, Shampine and Verwer 1998 (J. Comput. Appl. Math. 88; from memory, and checked by
    the order conditions): b_j = T_j''(w_0)/T_j'(w_0)^2, w_0 = 1 + (2/13)/s^2, w_1 = T_s'(w_0)/T_s''(w_0). Order 2, at
    least 2 stages, stable for dt times spectral radius up to 0.653 (s^2 - 1). The error estimate is
    (4/5) (y_n - y_{n+1}) + (2/5) dt (f_n + f_{n+1}), of order 3.
    """

    most_stages: int = eqx.field(static=True, default=500)  # pyright: ignore[reportIncompatibleMethodOverride]

    def order(self, terms: Any) -> int:
        """2."""
        return 2

    def error_order(self, terms: Any) -> int:
        """3, that of the estimate in one step."""
        return 3

    @property
    def reach(self) -> float:
        """0.653 (s^2 - 1)."""
        return REACH * (self.most_stages**2 - 1)

    def stages_for(self, stiffness: Array) -> Array:
        # Beyond what an int holds there is no stage count either.
        s = jnp.ceil(jnp.sqrt(1 + stiffness / REACH))
        return jnp.maximum(jnp.minimum(s, self.most_stages + 1), 2).astype(int)

    def first_stage(self, s: Array, y: Any, increment: Any) -> tuple[Any, Any, Array]:
        step = _b(s, 1) * _w1(s)
        return _Carry(y, increment, y), combined((1, y), (step, increment)), step

    def next_stage(self, s: Array, j: Array, carry: Any, point: Any, increment: Any) -> tuple[Any, Any, Array]:
        i = j + 1
        u, v, w = _recursion(s, i)
        g = -(1 - _b(s, j) * _chebyshev(s, j)[0]) * w
        start, first, before = carry
        moved = combined((1 - u - v, start), (u, point), (v, before), (w, increment), (g, first))
        return _Carry(start, first, point), moved, _time(s, i)

    def error(self, s: Array, carry: Any, y0: Any, y1: Any, increments: tuple[Any, Any]) -> Any:
        return combined((0.8, y0), (-0.8, y1), (0.4, increments[0]), (0.4, increments[1]))


def _chebyshev(s: Array, j: Any) -> tuple[Array, Array, Array]:
    """T_j, T_j' and T_j'' at w_0 = cosh(angle), from closed forms: a recursion would add up rounding."""
    above = DAMPING / s**2
    root = jnp.sqrt(above * (2 + above))
    angle = jnp.log1p(above + root)
    value = jnp.cosh(j * angle)
    slope = j * jnp.sinh(j * angle) / root
    return value, slope, (j**2 * value - (1 + above) * slope) / root**2


def _w1(s: Array) -> Array:
    _, slope, bend = _chebyshev(s, s)
    return slope / bend


def _b(s: Array, j: Any) -> Array:
    """b_j, which is b_2 for j = 0 and 1."""
    _, slope, bend = _chebyshev(s, jnp.maximum(j, 2))
    return bend / slope**2


def _recursion(s: Array, j: Array) -> tuple[Array, Array, Array]:
    """u_j, v_j and w~_j."""
    here, before, twice = _b(s, j), _b(s, j - 1), _b(s, j - 2)
    return 2 * (1 + DAMPING / s**2) * here / before, -here / twice, 2 * _w1(s) * here / before


def _time(s: Array, j: Array) -> Array:
    """c_j, in units of dt, for j from 2 on."""
    _, slope, bend = _chebyshev(s, j)
    return _w1(s) * bend / slope
