"""Which loss a step sees: the full one, or one drawn for that step."""

from abc import abstractmethod
from typing import Any

import equinox as eqx

from landscapes import Loss


class Sampling(eqx.Module):
    """The law by which the loss of a step is drawn."""

    @abstractmethod
    def loss(self, full: Loss, key: Any, n: Any) -> Loss:
        """The loss of step n of the run with that key: the same whenever it is asked for again."""


class FullBatch(Sampling):
    """No chance: every step sees the full loss."""

    def loss(self, full: Loss, key: Any, n: Any) -> Loss:
        del key, n
        return full
