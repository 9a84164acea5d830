"""Any optax optimizer as a method."""

from typing import Any, ClassVar, NoReturn

import equinox as eqx
import optax

from landscapes import Params

from ..method import Gradient, Method, check_learning_rate
from ..running.step import Oracle


class OptaxMethod(Method):
    """params <- optax.apply_updates(params, transformation.update(grad L(params), state, params))

    learning_rate: the h of its clock, which optax does not reveal; None where no flow will be compared with it.
    """

    transformation: optax.GradientTransformation = eqx.field(static=True)
    learning_rate: Any = None
    has_preconditioner: ClassVar[bool] = True

    def __check_init__(self):
        if self.learning_rate is not None:
            check_learning_rate(self.learning_rate)

    def init(self, params: Params) -> Any:
        return self.transformation.init(params)

    def step(self, gradient: Gradient, params: Params, state: Any) -> tuple[Params, Any]:
        slope = gradient(params)
        if isinstance(params, optax.LookaheadParams):
            # optax's lookahead moves both halves by the gradient of the fast one.
            slope = slope.fast
        extra = {}
        if isinstance(self.transformation, optax.GradientTransformationExtraArgs) and isinstance(gradient, Oracle):
            # What a transformation does not ask for is not computed: the compiler drops it.
            extra = {"value": gradient.drawn(params), "grad": slope, "value_fn": gradient.drawn}
        updates, state = self.transformation.update(slope, state, params, **extra)
        return optax.apply_updates(params, updates), state

    def preconditioner(self, params: Params, state: Any) -> NoReturn:
        raise ValueError("optax does not reveal the preconditioner of a transformation; RMSProp and ScalarRMSProp do.")


def from_optax(transformation: optax.GradientTransformation, learning_rate: float | None = None) -> OptaxMethod:
    """An optax optimizer as a Method; its update is handed `value`, `grad` and `value_fn` of the loss if it asks."""
    return OptaxMethod(transformation=transformation, learning_rate=learning_rate)
