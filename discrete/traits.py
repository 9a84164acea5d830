"""What a method says of itself, for the flows that model it: every answer is data, and None where there is none."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.core import Tracer
from numpy.polynomial import Polynomial

from landscapes import Params


class Recursion(NamedTuple):
    """v <- b v - c h g,  x <- x + v - e h g,  g = grad L(x + a v),  from v = 0 at rest

    momentum: b.  look_ahead: a.  weight: c.  direct: e.  Each a number or a schedule; b, a, c, e are

        heavy ball  b, 0, 1, 0      Nesterov  b, b, 1, 0      its look-ahead points  b, 0, b, 1

    In the points alone, where a or e is 0 and all four are constant:
        x_{n+1} - (1 + b) x_n + b x_{n-1} = -c h grad L(x_n + a (x_n - x_{n-1})),   or with e
                                            -(c + e) h grad L(x_n) + e b h grad L(x_{n-1})
    root: q = sqrt(m h), of a method whose coefficients are functions of it, for losses of strong convexity m: they move
        with h, and no equation in powers of h holds for them. None for all others.
    """

    momentum: Any
    look_ahead: Any = 0.0
    weight: Any = 1.0
    direct: Any = 0.0
    root: Any = None

    @property
    def of_positions(self) -> bool:
        """Whether c = 1 and e = 0: the velocity is the last displacement, as for heavy ball and Nesterov."""
        return same(self.weight, 1) and same(self.direct, 0)

    @property
    def of_look_ahead_points(self) -> bool:
        """Whether the x are the points y + b v of a Nesterov run y."""
        return same(self.weight, self.momentum) and same(self.direct, 1) and same(self.look_ahead, 0)

    @property
    def is_heavy_ball(self) -> bool:
        """b, 0, 1, 0"""
        return self.of_positions and same(self.look_ahead, 0)

    @property
    def is_nesterov(self) -> bool:
        """b, b, 1, 0"""
        return self.of_positions and same(self.look_ahead, self.momentum)

    @property
    def lead(self) -> Any:
        """c a + e b: by how many displacements gradients are taken ahead, on average; b for both forms of Nesterov."""
        return self.weight * self.look_ahead + self.direct * self.momentum

    @property
    def speed(self) -> Any:
        """(c + e (1 - b))/(1 - b): for h -> 0 it follows X' = -speed grad L(X), x_n ~ X(n h)."""
        return (self.weight + self.direct * (1 - self.momentum)) / (1 - self.momentum)

    def characteristic(self, z: Any) -> tuple[Any, ...]:
        """See `Method.characteristic`: r^2 + ((c (1 + a) + e) z - (1 + b)) r + b - (c a + e b) z."""
        pull = self.weight * (1 + self.look_ahead) + self.direct
        return 1.0, pull * z - (1 + self.momentum), self.momentum - self.lead * z

    def filters(self) -> "Filters | None":
        """x <- x - h (c m + e g) with m <- b m + g; None where the gradient is taken elsewhere than at x."""
        if not same(self.look_ahead, 0):
            return None

        def update(_: Params, seen: tuple[Params, ...]) -> Params:
            return jax.tree.map(lambda m, g: self.weight * m + self.direct * g, *seen)

        return Filters((Filter(self.momentum, 1.0), Filter(0.0, 1.0)), update)


class Stages(NamedTuple):
    """x <- x + h sum_i b_i k_i,  k_i = -grad L(x + h sum_{j<i} a_ij k_j)      (gradient descent: one stage)

    matrix: the rows of a below the diagonal.  weights: b.
    """

    matrix: tuple[tuple[Any, ...], ...]
    weights: tuple[Any, ...]

    @property
    def is_gradient_descent(self) -> bool:
        """Whether it is one stage."""
        return self.weights == (1,)

    def stability_polynomial(self) -> Polynomial:
        """R(-z), the factor of one step on a quadratic mode of curvature z/h."""
        one = np.eye(len(self.weights) + 1)[0]
        stages: list[np.ndarray] = []
        for row in self.matrix:
            stages.append(one + sum((-float(a) * _shifted(k) for a, k in zip(row, stages, strict=True)), 0))
        return Polynomial(one + sum(-float(b) * _shifted(k) for b, k in zip(self.weights, stages, strict=True)))

    def characteristic(self, z: Any) -> tuple[Any, ...]:
        """See `Method.characteristic`: r - R(-z)."""
        return 1.0, -self.stability_polynomial()(z)


class Restarted(NamedTuple):
    """A recursion whose velocity is forgotten and whose schedules begin anew, from time to time.

    when: "speed", once the displacement has become shorter than the one before; "gradient", once the gradient points
        along it.
    """

    between: Recursion
    when: str


class Filter(NamedTuple):
    """m_n = b m_{n-1} + c q(grad L(x_n)),  m = 0 at rest: c/(1 - b e^(-hD)) q(grad L) along a flow, D = d/dt

    decay: b.  weight: c; 1 - b makes an average.  of: q, from a gradient to what is filtered.
    """

    decay: Any
    weight: Any
    of: Callable[[Params], Any] = lambda gradient: gradient


class Filters(NamedTuple):
    """x_{n+1} = x_n - h update(x_n, (m_1, m_2, ...)), m_j the filters of the gradients up to that at x_n."""

    filters: tuple[Filter, ...]
    update: Callable[[Params, tuple[Any, ...]], Params]


class Memory(NamedTuple):
    """The slow state M of a method x <- x - h P^-1 grad L(x), P a function of the state after the step

    decay: b, what is left of M after a step; M follows its drift at the rate (1 - b)/b per step.
    drift: (M, grad L(x)) -> how M moves in the time of a step along a gradient that does not oscillate.
    push: (M, a, b) -> what an oscillation of the gradient with the covariance (a b' + b a')/2 adds to that.
    preconditioner: (params, M) -> P, shaped like the params, or one number.
    of: state of the method -> M, the whole of it unless said otherwise. A flow starts at that after the step that
        leaves its start.
    """

    decay: Any
    drift: Callable[[Any, Params], Any]
    push: Callable[[Any, Params, Params], Any]
    preconditioner: Callable[[Params, Any], Any]
    of: Callable[[Any], Any] = lambda state: state

    @property
    def rate(self) -> Any:
        """(1 - b)/b: with M_n = b M_{n-1} + (1 - b) s_n it is M_n - M_{n-1} = rate (s_n - M_n), exactly."""
        return (1 - self.decay) / self.decay


class Alternation(NamedTuple):
    """A method along x_n = c + (-1)^n r, c slow, on its way through the edge of stability.

    threshold: h times the curvature (of the Hessian in units of the preconditioner) at which a multiplier is -1.
    reach: its gradients are taken at c + (-1)^n reach r.
    pace: c moves by -pace h grad L in each step where r = 0.
    """

    threshold: Any
    reach: Any
    pace: Any


class Threshold(NamedTuple):
    """Where a method begins to diverge on a quadratic.

    curvature: of the Hessian H, or of P^-1/2 H P^-1/2 where `preconditioned`.
    angle: of the root that leaves the unit circle, in radians per step: pi for an oscillation of period two.
    """

    curvature: float
    angle: float
    preconditioned: bool = False


def same(one: Any, other: Any) -> bool:
    """Whether two coefficients are known to be equal. A traced one is known to equal itself alone."""
    if one is other:
        return True
    return not isinstance(one, Tracer) and not isinstance(other, Tracer) and bool(np.all(one == other))


def euler() -> Stages:
    """x <- x - h grad L(x)"""
    return Stages(((),), (Fraction(1),))


def _shifted(polynomial: np.ndarray) -> np.ndarray:
    return np.concatenate([[0.0], polynomial[:-1]])
