"""On a quadratic the modified equation of every order can be summed: the logarithm of the method's slow root."""

import numpy as np
from numpy.polynomial import Polynomial

from discrete import Method

from .coefficients import coefficients
from .method_scheme import scheme_of
from .trees import LEAF, Tree


def slow_root(method: Method, curvature: float) -> complex:
    """The root r of the method on L = s x^2/2, s the curvature, that is 1 at h s = 0: x_n ~ r^n, X' = log(r)/h X.

    One of the roots of the method's `characteristic` polynomial at z = h s. The branch is followed from 0 along a path
    that passes branch points above.
    """
    scheme_of(method)  # refuses what has no modified equation
    z = float(curvature) * float(method.learning_rate)
    root = 1.0 + 0j
    # Half a turn above the real axis keeps the path off the branch points, which are real for a <= b/(1 - b).
    for angle in np.linspace(np.pi, 0, 201):
        roots = np.roots([complex(c) for c in method.characteristic(z / 2 * (1 + np.exp(1j * angle)))])
        root = roots[np.argmin(np.abs(roots - root))]
    return complex(root)


def convergence_radius(method: Method) -> float:
    """The h s up to which the modified equation of a quadratic mode of curvature s converges.

    Gradient descent 1; heavy ball (1 - sqrt b)^2; Nesterov ((1 - b)/(1 + b))^2: where the slow root meets the other
    one, or vanishes; for a Runge-Kutta method, where its polynomial vanishes.
    """
    scheme_of(method)
    polynomials = [Polynomial([0.0]) + c for c in method.characteristic(Polynomial([0.0, 1.0]))]
    if len(polynomials) == 2 or not np.any(polynomials[2].coef):
        return float(np.min(np.abs(polynomials[1].roots())))
    _, linear, constant = polynomials
    meeting = (linear**2 - 4 * constant).trim(1e-14).roots()
    # Where the discriminant is a square the roots pass through each other, and nothing ends.
    ends = [z for i, z in enumerate(meeting) if np.all(np.abs(np.delete(meeting, i) - z) > 1e-6)]
    rate = float(method.learning_rate)
    ends += [z for z in constant.trim(1e-14).roots() if abs(slow_root(method, z.real / rate)) < 1e-6]
    return float(np.min(np.abs(ends)))


def pair_radius(method: Method) -> float | None:
    """h |s| below which the logarithm of both roots together, which a second-order equation carries, is a series.

    Where the roots leave 1 as a pair, at (1 - sqrt b)^2 for heavy ball, nothing ends. It ends where they meet again on
    the other side of 0, with logarithms 2 pi i apart: heavy ball (1 + sqrt b)^2; or where one vanishes: Nesterov 1.
    """
    polynomials = [Polynomial([0.0]) + c for c in method.characteristic(Polynomial([0.0, 1.0]))]
    if len(polynomials) == 2:
        return None
    _, linear, constant = polynomials
    meetings = (linear**2 - 4 * constant).trim(1e-14).roots()
    # The double root is -linear/2.
    ends = [z for z in meetings if -linear(z).real / 2 < 1e-9]
    ends += list(constant.trim(1e-14).roots())
    return float(np.min(np.abs(ends))) if ends else None


def tall_coefficients(method: Method, order: int) -> list[float]:
    """c of f, f'f, f'f'f, ...: (-1)^k c_k are the Taylor coefficients of log(slow root) in h s."""
    known = coefficients(scheme_of(method), order)
    tree: Tree = LEAF
    found = []
    for _ in range(order):
        found.append(float(known[tree]))
        tree = (tree,)
    return found
