"""The problems that can be asked for by name, and what can be set of each: whatever is there, found by looking.

A problem is a function with the decorator `problem_builder` in any file of these folders.
"""

import inspect
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin, get_type_hints

from .named import unknown
from .problem import Problem
from .registered import PROBLEMS

for module in pkgutil.walk_packages([str(Path(__file__).parent)], f"{__package__}."):
    import_module(module.name)


class Setting(NamedTuple):
    """What a setting may be (int, float, bool, str or tuple[..., ...]), the line that explains it, and whose it is."""

    type: Any
    help: str
    problems: tuple[str, ...]


def settings_of(name: str) -> dict[str, Any]:
    """The settings a named problem takes, with their defaults; ValueError on an unknown name."""
    if name not in PROBLEMS:
        raise unknown("problem", name, PROBLEMS)
    return {key: p.default for key, p in inspect.signature(PROBLEMS[name]).parameters.items()}


def all_settings(problems: Mapping[str, Callable[..., Problem]] = PROBLEMS) -> dict[str, Setting]:
    """Every setting that a problem takes, by name: type, help and problems; without None, which leaves it out.

    Problems may explain the same setting in different words, which are then joined.
    Raises ValueError where two of them give it different types, and for a setting without explanation.
    """
    found: dict[str, Setting] = {}
    for name, builder in problems.items():
        for key, hint in _hints(name, builder).items():
            kind, text = _plain(get_args(hint)[0]), hint.__metadata__[0]
            before = found.get(key, Setting(kind, text, ()))
            if before.type != kind:
                raise ValueError(
                    f"`{key}` of the problem {name} is {kind}, that of {before.problems[0]} {before.type}."
                )
            told = before.help if text in before.help else f"{before.help} {text}"
            found[key] = Setting(kind, told, (*before.problems, name))
    return found


def build(name: str, **settings: Any) -> Problem:
    """The named problem; ValueError on an unknown name, or when it does not take one of the settings."""
    known = settings_of(name)
    for key in settings:
        if key not in known:
            takes = ", ".join(known) or "no settings"
            raise ValueError(f"`{key}` does not apply to the problem {name}, which takes: {takes}.")
    return PROBLEMS[name](**settings)


def _hints(name: str, builder: Callable[..., Problem]) -> dict[str, Any]:
    hints = get_type_hints(builder, include_extras=True)
    hints.pop("return", None)
    for key, hint in hints.items():
        if get_origin(hint) is not Annotated or not isinstance(hint.__metadata__[0], str):
            raise ValueError(
                f"`{key}` of the problem {name} has no explanation; write Annotated[{hint}, 'what it is']."
            )
    return hints


def _plain(kind: Any) -> Any:
    """One type to read a text as: T for T | None and for T | (an array), tuple[T, ...] for a sequence of T."""
    if get_origin(kind) in (Union, UnionType):
        kind = next(one for one in get_args(kind) if one is not NoneType)
    return tuple[get_args(kind)[0], ...] if get_origin(kind) is Sequence else kind
