"""The two classical momenta of accelerated methods: for convex losses, and for strongly convex ones."""

import math
from typing import Any

import equinox as eqx
import jax.numpy as jnp

from ..method import check_learning_rate
from ..registered import named
from ..schedule import Schedule
from ..settings import StrongConvexity
from .heavy_ball import HeavyBall
from .nesterov import Nesterov
from .nesterov_look_ahead import NesterovLookAhead


class ConvexMomentum(Schedule):
    """b_n = (n - 1)/(n + r - 1)      (Su, Boyd and Candes 2016, section 4; Nesterov 1983 is r = 3)

    next_step: b_{n+1} instead, n/(n + r), for look-ahead points. The theorems want r >= 3; below, the rate n^-2 is
    lost and n^(-2r/3) is left (Attouch, Chbani and Riahi 2019). Raises ValueError for r <= 0.
    """

    r: float = eqx.field(static=True, default=3.0)
    next_step: bool = eqx.field(static=True, default=False)

    def __check_init__(self):
        if not (math.isfinite(self.r) and self.r > 0):
            raise ValueError(f"`r` must be positive, got {self.r}; 3 is Nesterov's.")

    def __call__(self, step: Any) -> Any:
        # At n = 0 there is no velocity yet to be multiplied.
        beyond = jnp.maximum(step - 1 + self.next_step, 0)
        return beyond / (beyond + self.r)

    @property
    def __name__(self) -> str:
        shift = self.r if self.next_step else self.r - 1
        return f"{'n' if self.next_step else '(n - 1)'}/(n + {repr(shift).removesuffix('.0')})"


convex_momentum = ConvexMomentum()


@named("nesterov-convex")
def nesterov_convex(learning_rate: Any, r: float = 3.0) -> Nesterov:
    """Nesterov's method for convex losses: step n = 0, 1, ... has momentum (n - 1)/(n + r - 1), from rest.

    L(x_n) - L* <= (r - 1)^2 |x_0 - x*|^2 / (2 h (n + r - 2)^2) for r >= 3 and h at most 1 over the sharpness (Su,
    Boyd and Candes 2016, theorem 6).
    """
    return Nesterov(learning_rate, ConvexMomentum(float(r)))


@named("nesterov-convex-look-ahead")
def nesterov_convex_look_ahead(learning_rate: Any, r: float = 3.0) -> NesterovLookAhead:
    """The same run at its look-ahead points y_n = x_n + b_n v_n: "NAG-C" of Shi, Du, Jordan and Su 2021 for r = 3."""
    return NesterovLookAhead(learning_rate, ConvexMomentum(float(r), next_step=True))


def strongly_convex_momentum(learning_rate: Any, strong_convexity: float) -> float:
    """b = (1 - sqrt(m h))/(1 + sqrt(m h))      (Nesterov 2004, scheme 2.2.22; h = learning_rate, m = strong_convexity)

    Raises ValueError unless h is a number and 0 < m h <= 1: m cannot exceed the sharpness, nor h its inverse.
    """
    check_fixed(learning_rate)
    product = strong_convexity * learning_rate
    if not 0 < product <= 1:
        raise ValueError(
            f"`strong_convexity` times `learning_rate` must lie in (0, 1], got {product}: with a learning rate of at "
            "most 1 over the sharpness, no loss is more convex than it is sharp."
        )
    root = math.sqrt(product)
    return (1 - root) / (1 + root)


def check_fixed(learning_rate: Any) -> None:
    """ValueError unless the learning rate is a positive finite number, from which a momentum can follow."""
    if callable(learning_rate):
        raise ValueError("`learning_rate` must be a number here: the momentum follows from it; pass no schedule.")
    check_learning_rate(learning_rate)


@named("nesterov-strongly-convex")
def nesterov_strongly_convex(learning_rate: Any, strong_convexity: StrongConvexity) -> Nesterov:
    """Nesterov's method with the momentum of m-strongly convex losses, (1 - sqrt(m h))/(1 + sqrt(m h))."""
    return Nesterov(learning_rate, strongly_convex_momentum(learning_rate, strong_convexity))


@named("nesterov-strongly-convex-look-ahead")
def nesterov_strongly_convex_look_ahead(learning_rate: Any, strong_convexity: StrongConvexity) -> NesterovLookAhead:
    """The same run at its look-ahead points: "NAG-SC" of Shi, Du, Jordan and Su 2021."""
    return NesterovLookAhead(learning_rate, strongly_convex_momentum(learning_rate, strong_convexity))


@named("heavy-ball-strongly-convex")
def heavy_ball_strongly_convex(learning_rate: Any, strong_convexity: StrongConvexity) -> HeavyBall:
    """Heavy ball with the same momentum, as in Shi, Du, Jordan and Su 2021 (Polyak's own is (1 - sqrt(m h))^2)."""
    return HeavyBall(learning_rate, strongly_convex_momentum(learning_rate, strong_convexity))
