"""A leapfrog for the Bregman family of Wibisono, Wilson and Jordan: heavy ball with two schedules."""

import math
from typing import Any

import equinox as eqx
import jax.numpy as jnp

from ..registered import named
from ..schedule import Schedule
from .heavy_ball import HeavyBall


class BregmanRate(Schedule):
    """(p C/2) e^p (s^(p-1) - (s-1)^(2p) s^(-p-1)) at step n, s = n + 1/2, e = sqrt(step_squared); s - 1 at least 0."""

    step_squared: Any
    power: int = eqx.field(static=True)
    constant: Any

    def __call__(self, step: Any) -> Any:
        p, after = self.power, step + 0.5
        # 1 - ((s-1)/s)^(2p) without overflow or cancellation; the first step has s - 1 = 0.
        lost = jnp.where(after > 1, -jnp.expm1(2 * p * jnp.log1p(-1 / jnp.maximum(after, 1.5))), 1.0)
        return p * self.constant / 2 * self.step_squared ** (p / 2) * after ** (p - 1) * lost

    @property
    def __name__(self) -> str:
        return f"Bregman, p = {self.power}, C = {self.constant!r}, e^2 = {self.step_squared!r}"


class BregmanMomentum(Schedule):
    """((s - 1)/s)^(p + 1) at step n, s = n + 1/2; 0 at the first step, which starts from rest."""

    power: int = eqx.field(static=True)

    def __call__(self, step: Any) -> Any:
        after = step + 0.5
        return (jnp.maximum(after - 1, 0.0) / after) ** (self.power + 1)

    @property
    def __name__(self) -> str:
        return f"Bregman, p = {self.power}"


@named("bregman-2", power=2)
@named("bregman-3", power=3)
@named("bregman-4", power=4)
def bregman_leapfrog(learning_rate: float, power: int = 2, constant: float = 0.25) -> HeavyBall:
    """Leapfrog with the time step e = sqrt(learning_rate) for  X'' + (p+1)/t X' + C p^2 t^(p-2) grad L(X) = 0

    p = power, C = constant: Wibisono, Wilson and Jordan 2016, equation 6, in Euclidean geometry. In the momentum
    P = t^(p+1) X'/p the equation is P' = -C p t^(2p-1) grad L(X), X' = p t^(-p-1) P; P lives at half steps and is moved
    by the integral of its factor, exact for a constant gradient (Betancourt, Jordan and Wilson 2018 propose symplectic
    integrators for this family). In the displacements x_{n+1} - x_n this is `HeavyBall` with `BregmanRate` and
    `BregmanMomentum`. Explicit: stable while C p^2 t^(p-2) h times the sharpness stays below 4, so for p > 2 it ends
    at a time, as theory says that it must. Raises ValueError unless p is a whole number from 2 and h, C are positive.
    """
    if not (isinstance(power, int) and power >= 2):
        raise ValueError(f"`power` must be a whole number from 2, got {power!r}.")
    for name, value in (("learning_rate", learning_rate), ("constant", constant)):
        if callable(value) or not (math.isfinite(value) and value > 0):
            raise ValueError(f"`{name}` must be a positive number, got {value!r}.")
    return HeavyBall(BregmanRate(float(learning_rate), power, float(constant)), BregmanMomentum(power))
