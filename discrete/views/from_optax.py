"""Any optax optimizer as a method."""

import logging
from functools import lru_cache
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from landscapes import Params

from ..descent.gradient_descent import GradientDescent
from ..method import Gradient, Method, check_learning_rate
from ..running.step import Oracle
from ..schedule import is_schedule, scheduled
from ..traits import Alternation, Filters, Recursion, Restarted, Stages, Threshold

# Powers of two: what a gradient was multiplied with is found without rounding.
PROBES = (np.array([1.0, -2.0, 0.5]), np.array([-4.0, 0.25, 2.0]))
ALIKE = 1e-6


class OptaxMethod(Method):
    """params <- optax.apply_updates(params, transformation.update(grad L(params), state, params))

    learning_rate: the h of its clock, which optax does not reveal; None where no flow will be compared with it.
    """

    transformation: optax.GradientTransformation = eqx.field(static=True)
    learning_rate: Any = None

    def __check_init__(self):
        if self.learning_rate is not None:
            check_learning_rate(self.learning_rate)

    @property
    def known(self) -> Method | None:
        """The method of ours that takes the same steps, None where none is known to."""
        rate = _rate_along_the_gradient(self.transformation)
        plain = rate is not None and not is_schedule(self.learning_rate) and self.learning_rate is not None
        stateless = plain and not jax.tree.leaves(self.transformation.init(PROBES[0]))
        return GradientDescent(self.learning_rate) if stateless else None

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

    @property
    def has_preconditioner(self) -> bool:  # type: ignore[override]
        """Whether it may have one, which optax does not reveal."""
        return self.known is None

    def preconditioner(self, params: Params, state: Any) -> Any:
        if self.known is not None:
            return self.known.preconditioner(params, state)
        raise ValueError("optax does not reveal the preconditioner of a transformation; RMSProp and ScalarRMSProp do.")

    def characteristic(self, z: Any) -> tuple[Any, ...]:
        return super().characteristic(z) if self.known is None else self.known.characteristic(z)

    def stability_threshold(self) -> float | None:
        return None if self.known is None else self.known.stability_threshold()

    def recursion(self) -> Recursion | Stages | Restarted | None:
        return None if self.known is None else self.known.recursion()

    def filters(self) -> Filters | None:
        return None if self.known is None else self.known.filters()

    def alternation(self) -> Alternation | None:
        return None if self.known is None else self.known.alternation()

    def threshold(self) -> Threshold | None:
        return None if self.known is None else self.known.threshold()


def from_optax(transformation: optax.GradientTransformation, learning_rate: Any = None) -> OptaxMethod:
    """An optax optimizer as a Method; its update is handed `value`, `grad` and `value_fn` of the loss if it asks.

    optax.sgd(h) without momentum is known as gradient descent, and what describes that describes it. learning_rate: of
    other transformations optax does not reveal it. ValueError where it contradicts what the transformation does.
    """
    if learning_rate is not None:
        check_learning_rate(learning_rate)
    rate = _rate_along_the_gradient(transformation)
    if rate is not None and learning_rate is not None:
        claimed = float(np.asarray(scheduled(learning_rate)(0) if callable(learning_rate) else learning_rate))
        if not np.isclose(claimed, rate, rtol=ALIKE):
            raise ValueError(
                f"`learning_rate` is {claimed:g}, but the transformation moves by {rate:g} times the gradient; "
                "leave it out, or build the transformation with it."
            )
    if rate is not None and learning_rate is None and not jax.tree.leaves(transformation.init(PROBES[0])):
        learning_rate = rate
    return OptaxMethod(transformation=transformation, learning_rate=learning_rate)


@lru_cache(maxsize=256)
def _rate_along_the_gradient(transformation: optax.GradientTransformation) -> float | None:
    """h of a transformation whose first update is -h g, whatever g and the params, and that keeps none of it."""
    rates, logged = [], logging.root.manager.disable
    for params, slope in zip(PROBES, PROBES[::-1], strict=True):
        # What optax has to say of a probe is nothing to a user.
        logging.disable(logging.WARNING)
        try:
            with jax.ensure_compile_time_eval():
                state = transformation.init(params)
                update = np.asarray(transformation.update(slope, state, params)[0])
        except Exception:
            # It asks for more than gradients and params, or for other params: it is none of those.
            return None
        finally:
            logging.disable(logged)
        if any(jnp.issubdtype(jnp.result_type(leaf), jnp.inexact) for leaf in jax.tree.leaves(state)):
            return None
        rates += list(-update / slope)
    precision = np.float32 if update.dtype == np.float32 else float
    if not (np.allclose(rates, rates[0], rtol=ALIKE, atol=0) and np.isfinite(rates[0]) and rates[0] > 0):
        return None
    return float(str(precision(rates[0])))
