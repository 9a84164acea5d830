"""Nesterov's method in the coordinates of the deep-learning libraries."""

from typing import Any

import jax

from landscapes import Params

from ..method import Gradient
from ..registered import named
from ..settings import Momentum
from ..traits import Alternation, Recursion
from .momentum_method import MomentumMethod


@named("nesterov-look-ahead")
class NesterovLookAhead(MomentumMethod):
    """d <- b (d - h grad L(y));  y <- y - h grad L(y) + d      (y = x + b v of `Nesterov`, d = b v)

    The params are the look-ahead points y, as in PyTorch's and optax's sgd(nesterov=True): the run of `Nesterov` from
    rest, seen in other coordinates, with another modified equation. A schedule b_n here is b_{n+1} there: each step
    already looks ahead with the momentum of the next. Stable below (2 + 2b) / (h (1 + 2b)).
    """

    learning_rate: Any
    momentum: Momentum = 0.9

    def looks_ahead(self) -> Any:
        return self.momentum

    def step(self, gradient: Gradient, params: Params, state: Params) -> tuple[Params, Params]:
        pull = jax.tree.map(lambda g: self.learning_rate * g, gradient(params))
        ahead = jax.tree.map(lambda d, p: self.momentum * (d - p), state, pull)
        return jax.tree.map(lambda y, p, d: y - p + d, params, pull, ahead), ahead

    def state_after(self, gradient: Gradient, previous: Params, params: Params) -> Params:
        return jax.tree.map(
            lambda before, now, g: now - before + self.learning_rate * g, previous, params, gradient(previous)
        )

    def recursion(self) -> Recursion:
        return Recursion(self.momentum, weight=self.momentum, direct=1.0)

    def alternation(self) -> Alternation | None:
        """(2 + 2b)/(1 + 2b), 1, 1/(1 - b): its gradients are taken at the points themselves."""
        found = super().alternation()
        return None if found is None else found._replace(reach=1.0)
