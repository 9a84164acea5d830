"""The flows that can be asked for by name: whatever is there, found by looking.

A flow is a class with the decorator `registered.named` in any file of these folders.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from discrete import Method
from landscapes.discovery import import_users_of, in_reading_order
from landscapes.named import unknown

from . import registered
from .flow import Flow
from .registered import example, matched

import_users_of("named", __name__.rpartition(".")[0], Path(__file__).parent)
_FOUND = {
    name: registered.NAMED[name]
    for name in in_reading_order({name: n.make for name, n in registered.NAMED.items()}, registered.READING_ORDER)
}
FLOWS = {name: found.text for name, found in _FOUND.items()}
SINGLE: dict[str, Callable[[Any], Flow]] = {
    name: found.make for name, found in _FOUND.items() if found.suggested and "P" not in name
}


def flow_named(name: str, method: Method) -> Flow:
    """The named flow of a method; ValueError where there is none of that name, or none of that method."""
    if name in SINGLE:
        try:
            return SINGLE[name](method)
        except ValueError as error:
            raise ValueError(f"{error}{_others(name, method)}") from error
    for pattern, found in _FOUND.items():
        if said := matched(pattern, name):
            return found.make(method, **({"order": int(said[1])} if said.groups() else {}))
    raise unknown("flows", name, map(example, _FOUND))


def _others(name: str, method: Method) -> str:
    """The flows by name that do describe the method."""

    def describes(other: str) -> bool:
        try:
            flow_named(other, method) if other not in SINGLE else SINGLE[other](method)
        except ValueError:
            return False
        return True

    known = [example(other) for other, found in _FOUND.items() if found.suggested]
    found = [other for other in known if other != name and describes(other)]
    return f" What describes it: {', '.join(found)}." if found else ""
