"""The coefficients of `ROCK4`, for any number of stages from five on.

The stability polynomial is R(z) = w(x) P(x)/(w(a) P(a)), x = a + z/d: w a quartic with two pairs of complex roots, P of
degree s - 4 orthogonal for the weight w^2/sqrt(1 - x^2), so that the extrema of w P on [-1, 1] are equal. The roots of
w and d are chosen for R = exp + O(z^5) with |R| <= 0.95 on the longest interval. They were found by Newton's method for
s = 5 to 48, and follow cubics in 1/s^2 to 1e-4: those stand below, and hold to s = 200. That the order is 4 does not
hang on them: the last four stages are solved for from the order conditions with the P that there is.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

FEWEST = 5
MOST = 200
EXTREMUM = 0.95
SPARING = 0.998
# d/s^2; and real and imaginary parts of the two roots of w, in units of z. Highest power of 1/s^2 first.
SLOPE = (-19.482167, 1.5393012, -1.446394, 0.17544904)
ROOTS = (
    ((203.36988, -15.441262, 12.5291, -2.500829), (-226.37341, -16.542671, -4.7488688, 1.3178056)),
    ((727.77117, -131.66076, 6.2220629, -0.30670584), (-36.032431, 51.173692, -20.188402, 3.5842184)),
)
# Where the second and the third of the last four stages lie, of the time that they have: the free choice that is left,
# near the least errors of order 5.
SECOND, THIRD = 0.25, 0.55
ESTIMATE = 0.05
DENSELY_UP_TO, GROWTH = 24, 1.06


class Table(NamedTuple):
    """One row for each number of stages.

    reach: dt times spectral radius up to which it is stable.  step, kept: m_j and n_j.  time: of y_0, y_1, ...
    finish, finish_time: the weights on the slopes of the last four stages for each next point, and the time of it.
    error: the weights on them and on the slope at the end.
    """

    stages: Any
    reach: Any
    step: Any
    kept: Any
    time: Any
    finish: Any
    finish_time: Any
    error: Any


@cache
def table(most: int) -> Table:
    """The coefficients for 5, 6, ..., 24, 26, ... and at most that many stages."""
    counts = list(range(FEWEST, min(most, DENSELY_UP_TO) + 1))
    while counts[-1] < most:
        counts.append(min(most, int(np.ceil(counts[-1] * GROWTH))))
    rows = [coefficients(s) for s in counts]

    def stacked(parts: Sequence[np.ndarray]) -> np.ndarray:
        width = max(len(part) for part in parts)
        return np.stack([np.pad(part, [(0, width - len(part))] + [(0, 0)] * (part.ndim - 1)) for part in parts])

    stages, reach, *columns = zip(*rows, strict=True)
    # Of a type that JAX has in either precision.
    return Table(np.array(stages, np.int32), np.array(reach), *map(stacked, columns))


@cache
def coefficients(s: int) -> Table:
    """Those for s stages, as one row."""
    slope, roots, a = parameters(s)
    alpha, beta = _orthogonal(roots, s - 4)
    step, kept = np.zeros(s - 4), np.ones(s - 4)
    ratio = np.inf
    for j in range(s - 4):
        ratio = (a - alpha[j]) - beta[j] / ratio
        step[j], kept[j] = 1 / (slope * ratio), (a - alpha[j]) / ratio
    before, trees, time = np.zeros(8), np.zeros(8), [0.0]
    for m, n in zip(step, kept, strict=True):
        before, trees = trees, m * _of_slope(trees) + n * trees + (1 - n) * before
        time.append(trees[0])
    finish, finish_time, error = _last_stages(trees)
    return Table(np.array(s), np.array((1 + a) * slope), step, kept, np.array(time), finish, finish_time, error)


def parameters(s: int) -> tuple[float, np.ndarray, float]:
    """d, the two upper roots of w in x, and the point a at which z = 0."""
    small = 1 / s**2
    slope = SPARING * s**2 * float(np.polyval(SLOPE, small))
    a = 1 - np.log(EXTREMUM) / slope
    roots = np.array([np.polyval(real, small) + 1j * np.polyval(imaginary, small) for real, imaginary in ROOTS])
    return slope, a + roots / slope, a


def _orthogonal(roots: np.ndarray, degree: int) -> tuple[np.ndarray, np.ndarray]:
    """P_{j+1} = (x - alpha_j) P_j - beta_j P_{j-1}, by Stieltjes' procedure with a quadrature that is exact here."""
    points = 2 * degree + 12
    x = np.cos((2 * np.arange(points) + 1) * np.pi / (2 * points))
    weight = np.prod(np.abs(x[:, None] - roots) ** 2, axis=1) ** 2
    alpha, beta = np.zeros(degree), np.zeros(degree)
    before, now, norm_before = np.zeros(points), np.ones(points), np.inf
    for j in range(degree):
        norm = weight @ now**2
        alpha[j], beta[j] = weight @ (x * now**2) / norm, norm / norm_before
        before, now, norm_before = now, (x - alpha[j]) * now - beta[j] * before, norm
    return alpha, beta


def _root(of: Callable[[float], float], low: float, high: float) -> float:
    """Where a function changes its sign, by bisection to the last bit."""
    below = np.sign(of(low))
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if np.sign(of(middle)) == below else (low, middle)
    return low


def _of_slope(trees: Float[np.ndarray, " 8"]) -> Float[np.ndarray, " 8"]:
    """The B-series of dt f(y) from that of y, in order: f, f'f, f''ff, f'f'f, f'''fff, f''f f'f, f'f''ff, f'f'f'f."""
    c, ac, cc, aac = trees[:4]
    return np.array([1.0, c, c**2, ac, c**3, c * ac, cc, aac])


def _last_stages(trees: Float[np.ndarray, " 8"]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The weights of the last four stages and of the estimate, from the order conditions.

    With c the time from y_{s-4} on, b the weights and A the matrix of the four stages, the eight conditions are linear
    in sums b c^k, b A c, b c A c, b A c^2, b A A c. All are met by c_2 and c_3 free, c_4 the root of the last.
    """
    c, g2, g3, g3a, g4, g4a, g4b, g4c = trees
    one = 1 - c
    bc = 1 / 2 - g2 - one * c
    bcc = 1 / 3 - g3 - one * c**2 - 2 * c * bc
    bac = 1 / 6 - g3a - one * g2 - c * bc
    bccc = 1 / 4 - g4 - one * c**3 - 3 * c**2 * bc - 3 * c * bcc
    bcac = 1 / 8 - g4a - (one * c + bc) * g2 - c * (c * bc + bcc) - c * bac
    bacc = 1 / 12 - g4b - one * g3 - c**2 * bc - 2 * c * bac
    baac = 1 / 24 - g4c - one * g3a - g2 * bc - c * bac
    c2, c3 = SECOND * one, THIRD * one

    def given(c4: float) -> tuple[np.ndarray, np.ndarray]:
        b = np.linalg.solve(np.vander([0, c2, c3, c4], 4, increasing=True).T, [one, bc, bcc, bccc])
        ac3, ac4 = np.linalg.solve([[b[2], b[3]], [b[2] * c3, b[3] * c4]], [bac, bcac])
        a43 = (bacc - c2 * bac) / (b[3] * c3 * (c3 - c2))
        a = np.zeros((4, 4))
        a[1, 0], a[2, 1], a[3, 2] = c2, ac3 / c2, a43
        a[3, 1] = (ac4 - a43 * c3) / c2
        a[2, 0], a[3, 0] = c3 - a[2, 1], c4 - a[3, 1] - a[3, 2]
        return a, b

    def left(c4: float) -> float:
        a, b = given(c4)
        return float(b @ a @ a @ a.sum(1) - baac)

    c4 = _root(left, 0.9 * one, 1.2 * one)
    a, b = given(c4)
    own = a.sum(1)
    times = np.array([*(c + own), 1.0])
    inner = np.array([*(g2 + a @ (c + own)), 1 / 2])
    conditions = np.stack([np.ones(5), times, times**2, inner])
    error = np.linalg.svd(conditions)[2][-1]
    finish = np.vstack([a[1:], b])
    return finish, np.array([*times[1:4], 1.0]), ESTIMATE * error / error[-1]
