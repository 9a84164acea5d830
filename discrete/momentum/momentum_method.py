"""What methods with momentum share: a velocity that starts at rest, and two roots on a quadratic mode."""

import math
from abc import abstractmethod
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp

from landscapes import Params

from ..method import Gradient, Method, check_learning_rate, check_momentum
from ..traits import Alternation, Filters, Recursion, Threshold


class MomentumMethod(Method):
    """A method whose iterates satisfy, on a quadratic mode of curvature z/h with look-ahead a,

        x_{n+1} - (1 + b - (1 + a) z) x_n + (b - a z) x_{n-1} = 0

    The state is a velocity of the shape of the params; it starts at rest.
    """

    momentum: eqx.AbstractVar[Any]
    schedulable: ClassVar[tuple[str, ...]] = ("learning_rate", "momentum")

    def __check_init__(self):
        check_learning_rate(self.learning_rate)
        check_momentum(self.momentum)

    @abstractmethod
    def looks_ahead(self) -> Any:
        """a, in units of the velocity: the gradient is taken at x + a v."""

    def init(self, params: Params) -> Params:
        return jax.tree.map(jnp.zeros_like, params)

    def state_after(self, gradient: Gradient, previous: Params, params: Params) -> Params:
        del gradient
        return jax.tree.map(jnp.subtract, params, previous)

    def characteristic(self, z: Any) -> tuple[Any, ...]:
        b, a = self.momentum, self.looks_ahead()
        return 1.0, (1 + a) * z - (1 + b), b - a * z

    def recursion(self) -> Recursion:
        return Recursion(self.momentum, self.looks_ahead())

    def filters(self) -> Filters | None:
        return self.recursion().filters() if self.is_constant else None

    def alternation(self) -> Alternation | None:
        """From v_n = 2 (-1)^n r: (2 + 2b)/(1 + 2a), 1 + 2a, 1/(1 - b); None for a < 0: a pair may leave first."""
        b, a = self.momentum, self.looks_ahead()
        if not self.is_constant or (isinstance(a, int | float) and a < 0):
            return None
        return Alternation((2 + 2 * b) / (1 + 2 * a), 1 + 2 * a, 1 / (1 - b))

    def threshold(self) -> Threshold | None:
        """(2 + 2b) / (h (1 + 2a)), where a root passes -1; for a < 0 also (1 - b) / (-a h), where a pair leaves."""
        if not self.is_constant:
            return None
        b, a = float(self.momentum), float(self.looks_ahead())
        ends = [((2 + 2 * b) / (1 + 2 * a), math.pi)] if a > -0.5 else []
        if a < 0:
            pair = (1 - b) / -a
            ends += [(pair, math.acos(max(-1.0, min(1.0, (1 + b - (1 + a) * pair) / 2))))]
        leaves, angle = min(ends)
        return Threshold(leaves / float(self.learning_rate), angle)
