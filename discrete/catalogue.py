"""The methods that can be asked for by name."""

import dataclasses
import re
from collections.abc import Mapping
from fractions import Fraction
from functools import partial
from typing import Any

import jax
import numpy as np

from landscapes.named import unknown

from .adaptive.rmsprop import RMSProp, ScalarRMSProp
from .descent.gradient_descent import GradientDescent
from .descent.runge_kutta import HEUN, KUTTA_3, KUTTA_4, MIDPOINT, RungeKutta
from .method import Method
from .momentum.bregman_leapfrog import bregman_leapfrog
from .momentum.classical_momentum import (
    heavy_ball_strongly_convex,
    nesterov_convex,
    nesterov_convex_look_ahead,
    nesterov_strongly_convex,
    nesterov_strongly_convex_look_ahead,
)
from .momentum.heavy_ball import HeavyBall
from .momentum.muehlebach_jordan import muehlebach_jordan
from .momentum.nesterov import Nesterov
from .momentum.nesterov_look_ahead import NesterovLookAhead
from .momentum.restarted_nesterov import RestartedNesterov
from .momentum.symplectic_euler import SymplecticEuler

LISTED = 16
METHODS = {
    "gradient-descent": GradientDescent,
    "heavy-ball": HeavyBall,
    "nesterov": Nesterov,
    "nesterov-look-ahead": NesterovLookAhead,
    "nesterov-convex": nesterov_convex,
    "nesterov-convex-look-ahead": nesterov_convex_look_ahead,
    "nesterov-restarted": RestartedNesterov,
    "nesterov-strongly-convex": nesterov_strongly_convex,
    "nesterov-strongly-convex-look-ahead": nesterov_strongly_convex_look_ahead,
    "heavy-ball-strongly-convex": heavy_ball_strongly_convex,
    "muehlebach-jordan": muehlebach_jordan,
    "symplectic-euler": SymplecticEuler,
    "bregman-2": partial(bregman_leapfrog, power=2),
    "bregman-3": partial(bregman_leapfrog, power=3),
    "bregman-4": partial(bregman_leapfrog, power=4),
    "rmsprop": RMSProp,
    "scalar-rmsprop": ScalarRMSProp,
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
    "nesterov-strongly-convex-look-ahead": {"strong_convexity"},
    "heavy-ball-strongly-convex": {"strong_convexity"},
    "muehlebach-jordan": {"strong_convexity"},
    "symplectic-euler": {"strong_convexity"},
    "rmsprop": {"beta2", "epsilon", "bias_correction"},
    "scalar-rmsprop": {"beta2", "epsilon", "bias_correction"},
}


def method_named(name: str, learning_rate: float, **settings: Any) -> Method:
    """The named method; ValueError when it does not take a setting or misses one."""
    if name not in METHODS:
        raise unknown("method", name, METHODS)
    takes = TAKES.get(name, set())
    for key in settings.keys() - takes:
        raise ValueError(
            f"`{key}` does not apply to {name}, which takes: {', '.join(['learning_rate', *sorted(takes)])}."
        )
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
    """A hyper-parameter as JSON: arrays of up to 16 numbers whole, larger ones by their shape."""
    if isinstance(value, Method):
        return description(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if type(value) in (tuple, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, np.ndarray | jax.Array) and value.shape:
        return np.asarray(value, float).tolist() if value.size <= LISTED else f"array of shape {value.shape}"
    if callable(value) or isinstance(value, tuple):
        return getattr(value, "__name__", type(value).__name__)
    if value is None or isinstance(value, str | int):
        return value
    return float(value) if isinstance(value, float | np.number | np.ndarray | jax.Array) else type(value).__name__
