"""The loss as an instrument."""

from ..problem import Loss
from .moment import Moment
from .observable import Observable
from .reading import Reading


class LossValue(Observable):
    """L(w), in its own units."""

    loss: Loss

    def measure(self, moment: Moment, carry: None) -> tuple[Reading, None]:
        return Reading(self.loss(moment.params), "loss"), carry
