"""What a method does on one mode of a quadratic, in closed form: its roots, and what they mean."""

from typing import Literal, NamedTuple

import numpy as np
from numpy.polynomial import Polynomial

from .method import Method

CRITICAL = 1e-7

Motion = Literal["monotone", "alternating", "oscillating"]


class Mode(NamedTuple):
    """The iterates of a mode are sums of r^n over the roots r.

    radius: the largest |r|; the mode is stable while it is at most 1.
    damping: -log radius, per step.  angle: the argument of the largest root, radians per step; its period is
    2 pi / angle steps.  motion: monotone for a largest root above 0, alternating for one below, oscillating for a pair.
    """

    roots: np.ndarray
    radius: float
    damping: float
    angle: float
    motion: Motion


def mode(method: Method, curvature: float) -> Mode:
    """The mode of that curvature: the roots of the method's `characteristic` polynomial at z = h * curvature.

    Heavy ball where its roots are a pair has the radius sqrt(b).

    Raises ValueError for a method that is no constant linear recursion on a quadratic.
    """
    _check(method)
    roots = characteristic_roots(method, float(method.learning_rate) * curvature)
    largest = roots[np.argmax(np.abs(roots))]
    radius = float(np.abs(largest))
    angle = float(abs(np.angle(largest))) if radius else 0.0
    # Where two roots meet, rounding makes them a pair.
    angle = round(angle / np.pi) * np.pi if min(angle, np.pi - angle) < CRITICAL else angle
    motion = "oscillating" if 0 < angle < np.pi else "monotone" if angle == 0 else "alternating"
    with np.errstate(divide="ignore"):
        return Mode(roots, radius, float(-np.log(radius)), angle, motion)


def characteristic_roots(method: Method, z: float) -> np.ndarray:
    """The roots r at z = h times the curvature; by formula, with no cancellation, for one and two roots."""
    _check(method)
    coefficients = [complex(c) for c in method.characteristic(z)]
    if len(coefficients) == 2:
        return np.array([-coefficients[1] / coefficients[0]])
    _, linear, constant = coefficients
    root = np.sqrt(linear**2 - 4 * constant)
    large = -(linear + root if (linear.conjugate() * root).real >= 0 else linear - root) / 2
    return np.array([large, constant / large if large else 0j])


def oscillating_range(method: Method) -> tuple[float, float] | None:
    """The curvatures between which the roots are a complex pair, the upper may be infinite; None where they never are.

    Heavy ball: (1 - sqrt b)^2 / h and (1 + sqrt b)^2 / h (Polyak 1964).
    """
    _check(method)
    coefficients = method.characteristic(Polynomial([0.0, 1.0]))
    if len(coefficients) == 2:
        return None
    _, linear, constant = coefficients
    discriminant = (linear**2 - 4 * constant).trim(1e-14)
    ends = discriminant.roots()
    real = np.sort(ends.real[np.abs(ends.imag) < 1e-9])
    if len(real) == 1:
        real = np.append(real, np.inf)
    if len(real) == 0 or np.isclose(*real) or discriminant(min(real.mean(), real[0] + 1)) >= 0:
        return None
    return float(real[0] / method.learning_rate), float(real[1] / method.learning_rate)


def _check(method: Method) -> None:
    if method.learning_rate is None:
        raise ValueError(f"the roots of a quadratic mode need a learning rate; {type(method).__name__} reveals none.")
    if not method.is_constant:
        raise ValueError(
            f"the roots of a quadratic mode need constant hyper-parameters; {type(method).__name__} has a schedule."
        )
