"""Nesterov's method as a semi-implicit Euler step, after Muehlebach and Jordan."""

import math
from typing import Any

from ..registered import named
from ..settings import StrongConvexity
from .classical_momentum import check_fixed
from .two_step import TwoStep


@named("muehlebach-jordan")
def muehlebach_jordan(learning_rate: Any, strong_convexity: StrongConvexity, time_step: float = 1.0) -> TwoStep:
    """Semi-implicit Euler with the step T for  q'' + 2 d q' + (1/L) grad f(q + beta q') = 0

        p <- p - T (2 d p + (1/L) grad f(q + beta p));  q <- q + T p,
        d = 1/(sqrt(k) + 1),  beta = (sqrt(k) - 1)/(sqrt(k) + 1),  k = L/m

    Muehlebach and Jordan 2019, equation 6; T = time_step, m = strong_convexity, and h = learning_rate = T^2/L, which
    sets L. In the displacement v = T p this is `TwoStep` with momentum 1 - 2 d T and look-ahead beta/T; T = 1 is
    Nesterov's method for strongly convex losses. Raises ValueError unless 0 < m <= L and 0 < 2 d T <= 1.
    """
    check_fixed(learning_rate)
    if not (math.isfinite(time_step) and time_step > 0):
        raise ValueError(f"`time_step` must be positive, got {time_step}; 1 gives Nesterov's method.")
    if (product := strong_convexity * learning_rate) > 1:
        raise ValueError(
            f"`strong_convexity` times `learning_rate` must lie in (0, 1], got {product:g}: no loss is more convex "
            "than it is sharp; take a smaller learning rate."
        )
    smoothness = time_step**2 / learning_rate
    if not 0 < strong_convexity <= smoothness:
        raise ValueError(
            f"`strong_convexity` must lie in (0, L], L = time_step^2 / learning_rate = {smoothness:g}, got "
            f"{strong_convexity}; take a smaller learning rate."
        )
    root = math.sqrt(strong_convexity / smoothness)
    ahead, damping = (1 - root) / (1 + root), 2 * root / (1 + root) * time_step
    if damping > 1:
        longest = 1 / (2 - 1 / math.sqrt(strong_convexity * learning_rate))
        raise ValueError(
            f"`time_step` must be at most {longest:g} here, got {time_step}: the momentum 1 - 2 d T would be negative."
        )
    return TwoStep(learning_rate, 1 - damping, ahead / time_step)
