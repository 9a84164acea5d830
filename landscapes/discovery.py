"""Finding what registers itself: the files of a package that use a decorator, and the order in which they are shown."""

import pkgutil
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any


def import_users_of(decorator: str, package: str, folder: Path) -> None:
    """Import every file of a package that says @decorator(...), and no other: some bring sympy with them."""
    for module in pkgutil.walk_packages([str(folder)], f"{package}."):
        path = folder.joinpath(*module.name.removeprefix(f"{package}.").split("."))
        source = path / "__init__.py" if module.ispkg else path.with_suffix(".py")
        if f"\n@{decorator}(" in source.read_text(encoding="utf-8"):
            import_module(module.name)


def in_reading_order(makers: Mapping[str, Callable[..., Any]], files: Sequence[str]) -> list[str]:
    """Names by the file of their maker, in the order of `files` and then of the alphabet; within a file as it is read.

    makers: classes, functions, or partials of them, in the order in which decorators registered them: of several at one
    class or function the lowest comes first.
    """
    bare = {name: getattr(maker, "func", maker) for name, maker in makers.items()}
    at = {name: line for line, name in enumerate(bare)}
    first = {id(maker): at[name] for name, maker in reversed(bare.items())}

    def place(name: str) -> tuple[Any, ...]:
        file = bare[name].__module__.rsplit(".", 1)[-1]
        listed = files.index(file) if file in files else len(files)
        return listed, bare[name].__module__, first[id(bare[name])], -at[name]

    return sorted(bare, key=place)
