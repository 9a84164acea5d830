"""The methods that can be asked for by name."""

import dataclasses
import re
from fractions import Fraction
from functools import partial
from typing import Any

from landscapes.named import unknown

from .gradient_descent import GradientDescent
from .heavy_ball import HeavyBall
from .method import Method
from .nesterov import Nesterov, nesterov_convex, nesterov_strongly_convex
from .nesterov_look_ahead import NesterovLookAhead
from .runge_kutta import HEUN, KUTTA_3, KUTTA_4, MIDPOINT, RungeKutta

METHODS = {
    "gradient-descent": GradientDescent,
    "heavy-ball": HeavyBall,
    "nesterov": Nesterov,
    "nesterov-look-ahead": NesterovLookAhead,
    "nesterov-convex": nesterov_convex,
    "nesterov-strongly-convex": nesterov_strongly_convex,
    "midpoint": partial(RungeKutta, tableau=MIDPOINT),
    "heun": partial(RungeKutta, tableau=HEUN),
    "kutta-3": partial(RungeKutta, tableau=KUTTA_3),
    "kutta-4": partial(RungeKutta, tableau=KUTTA_4),
}
TAKES = {
    "heavy-ball": {"momentum"},
    "nesterov": {"momentum"},
    "nesterov-look-ahead": {"momentum"},
    "nesterov-strongly-convex": {"strong_convexity"},
}


def method_named(name: str, learning_rate: float, **settings: Any) -> Method:
    """The named method; ValueError when it does not take a setting or misses one."""
    if name not in METHODS:
        raise unknown("method", name, METHODS)
    takes = TAKES.get(name, set())
    for key in settings.keys() - takes:
        raise ValueError(f"`{key}` does not apply to {name}, which takes: {', '.join(['learning_rate', *takes])}.")
    for key in ("strong_convexity",):
        if key in takes and key not in settings:
            raise ValueError(f"`{key}` is missing: {name} needs it.")
    return METHODS[name](learning_rate, **settings)


def description(method: Method) -> dict[str, Any]:
    """Name and hyper-parameters of a method as plain data; a schedule or transformation by its name."""
    fields = {field.name: getattr(method, field.name) for field in dataclasses.fields(method)}
    return {"name": kebab(type(method).__name__)} | {key: _plain(value) for key, value in fields.items()}


def kebab(name: str) -> str:
    """GradientDescent -> gradient-descent."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()


def _plain(value: Any) -> Any:
    if type(value) is tuple:
        return [_plain(entry) for entry in value]
    if isinstance(value, Fraction):
        return str(value)
    if callable(value) or isinstance(value, tuple):
        return getattr(value, "__name__", type(value).__name__)
    return None if value is None else float(value)
