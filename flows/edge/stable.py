"""Stable flow: where a method would go if it did not oscillate."""

from typing import Any, ClassVar, NamedTuple

import jax

from discrete import Method
from landscapes import Loss, Params

from ..flow import FieldCost, Start, check_constant, is_gradient_descent
from ..registered import named
from ..running.ode import ODEFlow
from .memory import check_memory, memory_drift, preconditioner, remembered


class Still(NamedTuple):
    """The params, and the memory that the method has there, None for one that has none."""

    params: Params
    memory: Any


@named("stable", "where gradient descent or RMSProp would go if it did not oscillate")
class StableFlow(ODEFlow):
    """dw/dt = -P^-1 grad L(w),   d nu/dt = (1 - b2)/(b2 h) (grad L(w)^2 - nu),   in the time n h of the method

    The stable flow of Cohen, Damian, Talwalkar, Kolter and Lee 2025 (arXiv 2410.24206), for scalar RMSProp, whose nu
    sees |grad L|^2, and for RMSProp; for gradient descent it is gradient flow; for any other method that answers
    `memory` it moves that as it says. It is `CentralFlow` without oscillation,
    what the method does before its effective sharpness reaches 2/h, and goes on beyond. `EdgeFlow` without noise is of
    higher order, but its swing is a variable, which far beyond the edge can grow from rounding; this one has none.

    order: 1 for gradient descent; None for the others, whose P does not stand still for h -> 0.
    Raises ValueError for other methods and for schedules.
    """

    method: Method
    real_spectrum: ClassVar[bool] = True

    def __init__(self, method: Method):
        check_constant("StableFlow", method)
        if method.memory() is None and not is_gradient_descent(method):
            raise ValueError(
                f"StableFlow describes GradientDescent, ScalarRMSProp and RMSProp, not {type(method).__name__}, which "
                "tells of no `memory` of its own; for methods without preconditioner take GradientFlow."
            )
        check_memory("StableFlow", method)
        self.method = method

    @property
    def order(self) -> int | None:
        """1 for gradient descent."""
        return 1 if self.method.memory() is None else None

    @property
    def field_cost(self) -> FieldCost:
        """One gradient."""
        return FieldCost(gradients=1)

    def init(self, loss: Loss, start: Start) -> Still:
        return Still(start.params, remembered(self.method, loss, start))

    def params(self, state: Still) -> Params:
        return state.params

    def preconditioner(self, loss: Loss, state: Still) -> Any:
        del loss
        # The memory is that after the step which leaves these params.
        return preconditioner(self.method, state.params, state.memory)

    def vector_field(self, loss: Loss, t: Any, state: Still) -> Still:
        del t
        slope = jax.grad(loss)(state.params)
        if self.method.memory() is None:
            return Still(jax.tree.map(lambda g: -g, slope), None)
        scale = jax.tree.broadcast(preconditioner(self.method, state.params, state.memory), state.params)
        drift = memory_drift(self.method, state.memory, slope)
        rate = self.method.learning_rate
        return Still(jax.tree.map(lambda g, p: -g / p, slope, scale), jax.tree.map(lambda m: m / rate, drift))
