"""Interpolators of least norm and of least potential, computed without a flow: what limits of training are held to."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from scipy.optimize import linprog, minimize

Vector = Float[np.ndarray, " dim"]
Inputs = Float[np.ndarray, "examples dim"]
Targets = Float[np.ndarray, " examples"]
# theta -> (value, gradient (dim,), Hessian (dim, dim))
Potential = Callable[[Vector], tuple[float, np.ndarray, np.ndarray]]

POLISHING_STEPS = 20


def least_l2(inputs: Inputs, targets: Targets) -> Vector:
    """The theta of least |theta|_2 with inputs theta = targets."""
    return np.linalg.lstsq(inputs, targets, rcond=None)[0]


def least_l1(inputs: Inputs, targets: Targets) -> Vector:
    """A theta of least |theta|_1 with inputs theta = targets: a linear program in its positive and negative parts."""
    found = linprog(np.ones(2 * inputs.shape[1]), A_eq=np.hstack([inputs, -inputs]), b_eq=targets)
    return np.asarray(found.x[: inputs.shape[1]] - found.x[inputs.shape[1] :])


def least_potential(potential: Potential, inputs: Inputs, targets: Targets) -> Vector:
    """The theta of least convex potential with inputs theta = targets, in coordinates of the null space of the inputs.

    scipy's trust region from the interpolator of least l2, then Newton steps on the gradient, which is known beyond the
    rounding of the value. Raises RuntimeError where the gradient does not vanish, to a millionth of the full one.
    """
    start = least_l2(inputs, targets)
    null = np.linalg.svd(inputs)[2][np.linalg.matrix_rank(inputs) :].T

    def at(c: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        value, gradient, hessian = potential(start + null @ c)
        return value, null.T @ gradient, null.T @ hessian @ null

    found = minimize(
        lambda c: at(c)[0],
        np.zeros(null.shape[1]),
        jac=lambda c: at(c)[1],
        hess=lambda c: at(c)[2],
        method="trust-exact",
        options={"gtol": 1e-12, "maxiter": 1000},
    ).x
    for _ in range(POLISHING_STEPS):
        _, gradient, hessian = at(found)
        better = found - np.linalg.solve(hessian, gradient)
        if not np.linalg.norm(at(better)[1]) < np.linalg.norm(gradient):
            break
        found = better
    theta = start + null @ found
    if not np.linalg.norm(at(found)[1]) < 1e-6 * np.linalg.norm(potential(theta)[1]):
        raise RuntimeError("the convex program did not converge: its potential is too nearly flat, or has a kink.")
    return theta


def certificate(inputs: Inputs, sparse: Vector) -> float:
    """rho = min max |s_off| over s in the row space of the inputs with s_on = sign(sparse) on its support.

    Below 1 where `sparse` is the only interpolator of its l1 norm: the margin that its certificate has to spare.
    """
    support = np.abs(sparse) > 1e-9
    on, off = inputs[:, support].T, inputs[:, ~support].T
    one = np.ones((len(off), 1))
    found = linprog(
        np.append(np.zeros(len(inputs)), 1.0),
        A_ub=np.vstack([np.hstack([off, -one]), np.hstack([-off, -one])]),
        b_ub=np.zeros(2 * len(off)),
        A_eq=np.hstack([on, np.zeros((len(on), 1))]),
        b_eq=np.sign(sparse[support]),
        bounds=[(None, None)] * len(inputs) + [(0, None)],
    )
    return float(found.fun)


def off_row_space(inputs: Inputs, dual: Vector) -> float:
    """|part of a dual vector outside the rows of the inputs| / |it|: zero where theta meets Karush, Kuhn and Tucker."""
    rows = np.linalg.svd(inputs, full_matrices=False)[2]
    return float(np.linalg.norm(dual - rows.T @ (rows @ dual)) / np.linalg.norm(dual))


def network_potential(scale: float | np.ndarray, depth: int) -> Potential:
    """Q(theta) = sum m q_D(theta_i / m), the potential of a diagonal network of depth D (Woodworth et al. 2020).

    q_2(x) = 2 - sqrt(4 + x^2) + x asinh(x / 2);  q_D is the integral of the inverse of
    h_D(s) = (1 - s)^p - (1 + s)^p, p = -D / (D - 2).   scale: m = alpha^D, or one for each entry.
    """

    def potential(theta: Vector) -> tuple[float, np.ndarray, np.ndarray]:
        x = theta / scale
        dual = network_dual(x, depth)
        if depth == 2:
            value, slope = x * dual - 4 * np.sinh(dual / 2) ** 2, 2 * np.cosh(dual)
        else:
            p = depth / (depth - 2)
            small = _one_minus(np.abs(x), p)
            integral = (small ** (1 - p) + (2 - small) ** (1 - p) - 2) / (p - 1)
            value, slope = x * dual - integral, p * (small ** (-p - 1) + (2 - small) ** (-p - 1))
        return float(np.sum(scale * value)), dual, np.diag(1 / (scale * slope) * np.ones_like(x))

    return potential


def network_dual(x: Vector, depth: int) -> Vector:
    """q_D'(x): asinh(x / 2) at depth 2, the inverse of h_D beyond; see `network_potential`."""
    if depth == 2:
        return np.arcsinh(x / 2)
    return np.sign(x) * (1 - _one_minus(np.abs(x), depth / (depth - 2)))


def _one_minus(x: Vector, p: float) -> Vector:
    """r in (0, 1] with r^-p - (2 - r)^-p = x, for x >= 0, by Newton from below, where the left side is convex."""
    r = (x + 1) ** (-1 / p)
    for _ in range(60):
        r = r + (r**-p - (2 - r) ** -p - x) / (p * (r ** (-p - 1) + (2 - r) ** (-p - 1)))
    return r
