"""Where problems are registered: by the decorator of the function that builds them, and nowhere else."""

import functools
from collections.abc import Callable
from typing import ParamSpec

from .precision import say_float32
from .problem import Problem

Settings = ParamSpec("Settings")
Builder = Callable[Settings, Problem]

PROBLEMS: dict[str, Callable[..., Problem]] = {}


def problem_builder(name: str) -> Callable[[Builder[Settings]], Builder[Settings]]:
    """Decorator of a function that builds a problem, which can then be asked for by this name.

    Every setting of the function is keyword-only, has a default, and is `Annotated` with the line that says what it is.
    Raises ValueError where another problem has the name.
    """

    def register(builder: Builder[Settings]) -> Builder[Settings]:
        if name in PROBLEMS:
            taken = f"{PROBLEMS[name].__module__}.{PROBLEMS[name].__qualname__}"
            raise ValueError(f"`name` {name!r} is taken by {taken}; choose another.")

        @functools.wraps(builder)
        def built(*args: Settings.args, **settings: Settings.kwargs) -> Problem:
            say_float32(f"the problem {name}")
            return builder(*args, **settings)

        PROBLEMS[name] = built
        return built

    return register
