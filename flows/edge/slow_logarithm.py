"""The logarithm of what a method does to one mode of a quadratic in a step, for any curvature at once."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float
from numpy.polynomial import Polynomial

from discrete import Method

DOUBLE = 1e-12


class SlowLogarithm(eqx.Module):
    """log r(z), r the root of the method's `characteristic` polynomial at z = h x curvature that is 1 at z = 0

    r = 1 - z for gradient descent, with log r = log|1 - z| + i pi past z = 1. With momentum the two roots
    (-p(z) +- sqrt(p^2 - 4q))/2 meet where the discriminant vanishes, at two real z unless the method looks far ahead.
    The root is followed from 0 past both on one side of the real axis: one of a complex pair between them (heavy ball:
    |r| = sqrt b there), and beyond them the larger one, which leaves the unit circle through -1.
    At r = 0, such as gradient descent's and Nesterov's at z = 1, it is the logarithm of the smallest normal number.
    """

    linear: np.ndarray
    ends: np.ndarray
    meetings: np.ndarray | None

    def __init__(self, method: Method):
        _, *found = (Polynomial([0.0]) + c for c in method.characteristic(Polynomial([0.0, 1.0])))
        linear, constant = found if len(found) == 2 else (found[0], Polynomial([0.0]))
        self.linear = linear.coef
        # 1 + p + q = (1 - r)(1 - other root) vanishes at z = 0.
        self.ends = (1 + linear + constant).coef[1:]
        self.meetings = _meetings(linear**2 - 4 * constant) if len(found) == 2 else None

    def __call__(self, z: Float[Array, "*modes"]) -> Complex[Array, "*modes"]:
        """log r(z)"""
        moved = z * self._moved(z)
        a, b = jnp.real(moved), jnp.imag(moved)
        # Where r is near 1, its logarithm is taken from r - 1: r itself has lost it to rounding.
        near = jnp.log1p(a * (2 + a) + b**2) / 2
        far = jnp.log(jnp.maximum(jnp.abs(1 + moved), jnp.finfo(z.dtype).tiny))
        return jax.lax.complex(jnp.where(jnp.abs(moved) < 0.5, near, far), jnp.arctan2(b, 1 + a))

    def over(self, z: Float[Array, "*modes"]) -> Complex[Array, "*modes"]:
        """log r(z)/z, at z = 0 its limit."""
        return jnp.where(z == 0, self._moved(z), self(z) / jnp.where(z == 0, 1, z))

    def _moved(self, z: Array) -> Array:
        """(r - 1)/z, from (1 - r)(1 - other root) without cancellation."""
        p, ends = (_value(coefficients, z) for coefficients in (self.linear, self.ends))
        if self.meetings is None:
            return jax.lax.complex(-ends, jnp.zeros_like(z))
        scale, *inverse = self.meetings
        # A root for each factor: the discriminant is positive again past both meetings, its root is not.
        root = scale * jnp.sqrt(1 - inverse[0] * z) * jnp.sqrt(1 - inverse[1] * z)
        other = (-p - root.astype(jnp.result_type(z, jnp.complex64))) / 2
        return -ends / (1 - other)


def _meetings(discriminant: Polynomial) -> np.ndarray:
    """s, y_1, y_2 of s^2 (1 - y_1 z)(1 - y_2 z)."""
    a, b, c = (*discriminant.coef, 0.0, 0.0)[:3]
    inner = b**2 - 4 * a * c
    # Rounding must not split a double root into a complex pair, past which the sign would not change.
    inner = 0.0 if abs(inner) < DOUBLE * b**2 else inner
    root = np.sqrt(complex(inner))
    return np.array([np.sqrt(a), (-b + root) / (2 * a), (-b - root) / (2 * a)])


def _value(coefficients: Any, z: Array) -> Array:
    return jnp.polyval(jnp.asarray(coefficients[::-1], z.dtype), z)
