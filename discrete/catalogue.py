"""The methods that can be asked for by name, and what can be set of each: whatever is there, found by looking.

A method is a class or function with the decorator `registered.named` in any file of these folders.
"""

import dataclasses
import inspect
import re
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, get_origin

import jax
import numpy as np

from landscapes.discovery import import_users_of, in_reading_order
from landscapes.named import unknown

from . import registered
from .method import Method

LISTED = 16
import_users_of("named", __name__.rpartition(".")[0], Path(__file__).parent)
METHODS = {name: registered.METHODS[name] for name in in_reading_order(registered.METHODS, registered.READING_ORDER)}


def settings_of(name: str) -> dict[str, inspect.Parameter]:
    """The settings a named method takes beside the learning rate, with type, help and default; ValueError on others."""
    if name not in METHODS:
        raise unknown("method", name, METHODS)
    fixed = getattr(METHODS[name], "keywords", {})
    parameters = inspect.signature(getattr(METHODS[name], "func", METHODS[name])).parameters
    return {key: p for key, p in parameters.items() if get_origin(p.annotation) is Annotated and key not in fixed}


TAKES = {name: set(settings_of(name)) for name in METHODS}


def method_named(name: str, learning_rate: float, **settings: Any) -> Method:
    """The named method; ValueError when it does not take a setting or misses one."""
    takes = settings_of(name)
    for key in settings.keys() - takes:
        raise ValueError(
            f"`{key}` does not apply to {name}, which takes: {', '.join(['learning_rate', *sorted(takes)])}."
        )
    for key, parameter in takes.items():
        if parameter.default is parameter.empty and key not in settings:
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
