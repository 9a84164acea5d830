"""Nesterov's convex method, restarted whenever it goes astray."""

from typing import Any, Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array

from landscapes import Params

from ..method import Gradient, Method, check_learning_rate
from ..registered import named
from ..traits import Recursion, Restarted
from .classical_momentum import ConvexMomentum

When = Literal["speed", "gradient"]


class SinceRestart(NamedTuple):
    """The last displacement, its length (0 after a restart), and the number of steps since the last restart."""

    velocity: Params
    speed: Array
    age: Array


@named("nesterov-restarted")
class RestartedNesterov(Method):
    """v <- b v - h grad L(x + b v);  x <- x + v,  b = (j - 1)/(j + r - 1), j the steps since the last restart

    when: "speed", once |v| has become smaller than in the step before (after Su, Boyd and Candes 2016, algorithm 1,
    which forgets the momentum a step later), or "gradient", once grad L(x + b v) v > 0 (O'Donoghue and Candes 2015).
    Then j = 1: the momentum is forgotten. Speeds are compared between restarts, not across them.
    earliest: no restart while j is below it (k_min of the algorithm). Linear rate on strongly convex losses, whose
    strong convexity need not be known.
    """

    learning_rate: Any
    r: float = eqx.field(static=True, default=3.0)
    when: When = eqx.field(static=True, default="speed")
    earliest: int = eqx.field(static=True, default=1)

    def __check_init__(self):
        check_learning_rate(self.learning_rate)
        if self.when not in ("speed", "gradient"):
            raise ValueError(f"`when` must be 'speed' or 'gradient', got {self.when!r}.")
        if not (isinstance(self.earliest, int) and self.earliest >= 1):
            raise ValueError(f"`earliest` must be at least 1, got {self.earliest}.")
        ConvexMomentum(self.r)

    def init(self, params: Params) -> SinceRestart:
        velocity = jax.tree.map(jnp.zeros_like, params)
        return SinceRestart(velocity, optax.tree.norm(velocity), jnp.asarray(0))

    def step(self, gradient: Gradient, params: Params, state: SinceRestart) -> tuple[Params, SinceRestart]:
        b = ConvexMomentum(self.r)(state.age)
        slope = gradient(jax.tree.map(lambda x, v: x + b * v, params, state.velocity))
        velocity = jax.tree.map(lambda v, g: b * v - self.learning_rate * g, state.velocity, slope)
        speed = optax.tree.norm(velocity)
        astray = speed < state.speed if self.when == "speed" else jnp.asarray(optax.tree.vdot(slope, velocity)) > 0
        restarts = astray & (state.age >= self.earliest)
        age = jnp.where(restarts, 1, state.age + 1)
        # The first step after a restart has no speed of its own run to be compared with.
        speed = jnp.where(restarts, 0, speed)
        return jax.tree.map(jnp.add, params, velocity), SinceRestart(velocity, speed, age)

    def recursion(self) -> Restarted:
        momentum = ConvexMomentum(self.r)
        return Restarted(Recursion(momentum, momentum), self.when)
