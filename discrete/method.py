"""The contract of a discrete optimizer: one update rule, hyper-parameters as fields, state as an explicit pytree."""

import dataclasses
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from landscapes import Params

from .sampling import FullBatch, Sampling
from .schedule import is_schedule, scheduled
from .traits import Alternation, Filters, Memory, Recursion, Restarted, Stages, Threshold

_LEAF = jax.tree.structure(0.0)

Gradient = Callable[[Params], Params]
State = Any


class Method(eqx.Module):
    """One update rule.

    learning_rate: h, in units of params / gradient.
    schedulable: the hyper-parameters that may be functions of the step n = 0, 1, 2, ...; they become a `Schedule`.
    gradients_per_step: what one step costs.
    has_preconditioner: whether it takes P^-1 grad L for grad L, with a P that its state knows.
    """

    learning_rate: eqx.AbstractVar[Any]
    schedulable: ClassVar[tuple[str, ...]] = ("learning_rate",)
    gradients_per_step: ClassVar[int] = 1
    has_preconditioner: ClassVar[bool] = False

    def __check_init__(self):
        for field in dataclasses.fields(self):
            if field.name in self.schedulable:
                object.__setattr__(self, field.name, scheduled(getattr(self, field.name)))

    @abstractmethod
    def init(self, params: Params) -> State:
        """The state before the first step."""

    @abstractmethod
    def step(self, gradient: Gradient, params: Params, state: State) -> tuple[Params, State]:
        """One step: (params, state) -> (params, state), asking `gradient` wherever the rule needs it.

        gradient: params -> grad L(params); in a run it is the `Oracle` of the step, which knows more.
        """

    def state_after(self, gradient: Gradient, previous: Params, params: Params) -> State:
        """The state of a method that has just gone from `previous` to `params`; ValueError where that is not enough."""
        raise ValueError(f"{type(self).__name__} has no state determined by two successive points; start it at rest.")

    def preconditioner(self, params: Params, state: State) -> Any:
        """P of x <- x - h P^-1 grad L(x), the step that led to the state; shaped like the params, or one number.

        Together with the Hessian at x_n the P of the step that leaves x_n decides on stability: that of the state after
        n + 1 steps. 1.0 for a method without.
        """
        del params, state
        return 1.0

    def characteristic(self, z: Any) -> tuple[Any, ...]:
        """Coefficients, from r^2 or r down, of the polynomial whose roots r are the method on a mode of curvature z/h.

        z: a number or a `numpy.polynomial.Polynomial`. That of its `recursion` unless the method says otherwise. Raises
        ValueError where the method has no such polynomial.
        """
        found = self.recursion()
        if found is None or isinstance(found, Restarted):
            raise ValueError(f"{type(self).__name__} is no linear recursion on a quadratic mode; it has no roots.")
        return found.characteristic(z)

    def stability_threshold(self) -> float | None:
        """The sharpness above which the method diverges on a quadratic; None where there is no constant one."""
        found = self.threshold()
        return None if found is None or found.preconditioned else found.curvature

    @property
    def effective_threshold(self) -> float | None:
        """The same for the effective sharpness, the top eigenvalue of P^-1/2 H P^-1/2 with the preconditioner P."""
        found = self.threshold()
        return self.stability_threshold() if found is None else found.curvature

    @property
    def observed(self) -> "Method":
        """The method whose run this is a view of; itself unless it says otherwise."""
        return self

    def from_state(self, params: Params, state: State) -> State:
        """The state of this view at the start of a run whose observed method starts with that state."""
        del params
        return state

    def observed_state(self, state: State) -> State:
        """The state of the observed method at the start, from the state at the start of this view."""
        return state

    @property
    def sampling(self) -> Sampling:
        """The law of the loss that a step sees."""
        return FullBatch()

    def at(self, step: Any) -> "Method":
        """The method with every schedule replaced by its value at the step."""
        return jax.tree.map(lambda leaf: leaf(step) if is_schedule(leaf) else leaf, self, is_leaf=is_schedule)

    @property
    def has_clock(self) -> bool:
        """Whether one learning rate, or one schedule of it, says how much time a step takes."""
        rate = self.learning_rate
        return is_schedule(rate) or (rate is not None and jax.tree.structure(rate) == _LEAF and jnp.ndim(rate) == 0)

    @property
    def is_constant(self) -> bool:
        """Whether no hyper-parameter is a schedule."""
        return not any(map(is_schedule, jax.tree.leaves(self, is_leaf=is_schedule)))

    def recursion(self) -> Recursion | Stages | Restarted | None:
        """How it combines gradients, where it does so linearly: what its equations for small h follow from."""
        return None

    def filters(self) -> Filters | None:
        """The same with averages of functions of the gradients, for methods with constant hyper-parameters."""
        return None

    def memory(self) -> Memory | None:
        """Its slow state, where it takes P^-1 grad L for grad L and no more."""
        return None

    def alternation(self) -> Alternation | None:
        """What an oscillation of period two is to it; None where none begins at its threshold."""
        return None

    def threshold(self) -> Threshold | None:
        """Where it begins to diverge on a quadratic; None where there is no constant threshold."""
        return None


def check_learning_rate(value: Any) -> None:
    """ValueError unless the learning rate is a schedule or a positive finite number."""
    if not _holds(value, lambda rate: np.isfinite(rate) & (rate > 0)):
        raise ValueError(f"`learning_rate` must be a positive finite number or a function of the step, got {value!r}.")


def check_momentum(value: Any) -> None:
    """ValueError unless the momentum is a schedule or lies in [0, 1)."""
    check_fraction("momentum", value)


def check_fraction(name: str, value: Any) -> None:
    """ValueError unless the named hyper-parameter is a schedule or lies in [0, 1)."""
    if not _holds(value, lambda fraction: (fraction >= 0) & (fraction < 1)):
        raise ValueError(f"`{name}` must lie in [0, 1) or be a function of the step, got {value!r}.")


def check_not_negative(name: str, value: Any) -> None:
    """ValueError unless the named hyper-parameter is a schedule or a finite number from 0."""
    if not _holds(value, lambda number: np.isfinite(number) & (number >= 0)):
        raise ValueError(f"`{name}` must be a finite number from 0 or a function of the step, got {value!r}.")


def check_number(name: str, value: Any) -> None:
    """ValueError unless the named hyper-parameter is a schedule or a finite number."""
    if not _holds(value, np.isfinite):
        raise ValueError(f"`{name}` must be a finite number or a function of the step, got {value!r}.")


def _holds(value: Any, test: Callable[[np.ndarray], Any]) -> bool:
    """Whether a hyper-parameter is a schedule, a traced value, or numbers that all pass the test."""
    if callable(value) or isinstance(value, Tracer):
        return True
    numbers = isinstance(value, int | float | np.number | np.ndarray | jax.Array)
    return numbers and bool(np.all(test(np.asarray(value))))
