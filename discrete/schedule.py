"""Hyper-parameters that change from step to step."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import equinox as eqx


class Schedule(eqx.Module):
    """A hyper-parameter as a function of the step n = 0, 1, 2, ..., which may be traced."""

    @abstractmethod
    def __call__(self, step: Any) -> Any:
        """Its value for the step from x_n to x_{n+1}."""


class FunctionOfStep(Schedule):
    """Any function of the step, such as one of optax's schedules."""

    rule: Callable[[Any], Any]

    def __call__(self, step: Any) -> Any:
        return self.rule(step)

    @property
    def __name__(self) -> str:
        return getattr(self.rule, "__name__", type(self.rule).__name__)


def scheduled(value: Any) -> Any:
    """The value, a function of the step as a Schedule."""
    return FunctionOfStep(value) if callable(value) and not is_schedule(value) else value


def is_schedule(value: Any) -> bool:
    """Whether the value is a Schedule."""
    return isinstance(value, Schedule)
