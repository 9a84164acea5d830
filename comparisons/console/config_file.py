"""The arguments of a comparison from a file: the config.json of a run folder, or one written by hand."""

import types
from collections.abc import Callable, Mapping
from typing import Any, Literal, Union, get_args, get_origin

from ..storage.stored_json import read_json
from ..storage.whole_file import expanded

COMMAND = "compare"
REMEDY = "correct it, or give its arguments as options"


def arguments_from(file: str, kinds: Mapping[str, Any]) -> dict[str, Any]:
    """What stands in the file under "arguments", each of its kind; what is missing there is missing here.

    kinds: argument -> its type: int, float, bool, str, tuple[..., ...], a Literal, or one of these or None.
    Raises ValueError, one line, for a file that is no JSON or is of another command, an argument that is not among the
    kinds, and a value of another kind.
    """
    path = expanded(file, "config")
    try:
        found = read_json(path, {"arguments": dict, ...: object}, remedy=REMEDY)
        shapes = {key: _shape(kinds[key]) for key in found["arguments"] if key in kinds}
        read = read_json(path, {"arguments": shapes, ...: object}, remedy=REMEDY)
    except ValueError as error:
        raise ValueError(f"`config` {error}") from error
    if read.get("command", COMMAND) != COMMAND:
        raise ValueError(f"`config` {path} is of another command than {COMMAND}: {read['command']!r:.60}.")
    return {key: _converted(value, kinds[key]) for key, value in read["arguments"].items()}


def _shape(kind: Any) -> Any:
    """The shape of the JSON that stands for a value of the kind."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return tuple(None if one is types.NoneType else _shape(one) for one in inner)
    if origin is tuple:
        return [_shape(inner[0])]
    if origin is Literal:
        return _one_of(inner)
    return kind


def _one_of(words: tuple[str, ...]) -> Callable[[Any], bool]:
    def is_one(found: Any) -> bool:
        return found in words

    is_one.__doc__ = " or ".join(words)
    return is_one


def _converted(value: Any, kind: Any) -> Any:
    """A list as the tuple, and a whole number as the float, that the command line would have made of it."""
    if isinstance(value, list):
        inner = next(get_args(one)[0] for one in (kind, *get_args(kind)) if get_origin(one) is tuple)
        return tuple(_converted(entry, inner) for entry in value)
    takes_floats = kind is float or float in get_args(kind)
    return float(value) if takes_floats and value is not None else value
