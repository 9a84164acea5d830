"""JSON files as they were written, or a line that says what somebody changed: no shape is taken on trust.

A shape is
    a type          that type; float also takes whole numbers, int and float take no booleans; object takes anything,
    None            null,
    (a, b)          one of several shapes,
    [a]             a list of any length, [a, b] of exactly two entries,
    {"k": a, "l": b}    an object with these keys and no others; with `...: c` others too, of shape c; with a function
                    as a key those others that it finds good,
    a function      of the value, whether it is good; the first line of its docstring says what is expected.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

MOST_BYTES = 2**26
DEEPEST = 32

_NAMES = {
    float: "a number",
    int: "a whole number",
    str: "a text",
    bool: "true or false",
    dict: "an object",
    list: "a list",
    object: "anything",
}


def read_json(path: Path, shape: Any, *, remedy: str) -> Any:
    """What a JSON file holds, of the given shape. ValueError, one line: what is wrong, and the remedy.

    Raises OSError where the file cannot be read. NaN and infinity are no JSON; more than 64 MiB or 32 levels are
    nothing that this project writes.
    """
    if not path.is_file():
        raise _refusal(path, "is no file", remedy)
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise _refusal(path, f"is larger than {MOST_BYTES} bytes", remedy)
    try:
        found = json.loads(content, parse_constant=_no_constant)
    except RecursionError:
        raise _refusal(path, "is nested too deeply", remedy) from None
    except ValueError as error:
        raise _refusal(path, f"is no JSON ({error})", remedy) from error
    if _is_deeper(found, DEEPEST):
        raise _refusal(path, "is nested too deeply", remedy)
    if wrong := _mismatch(found, shape, ""):
        raise _refusal(path, wrong, remedy)
    return found


def plain_name(value: Any) -> bool:
    """the name of a file in the same folder"""
    return isinstance(value, str) and Path(value).name == value and "\0" not in value and value not in ("", "..")


def _refusal(path: Path, wrong: str, remedy: str) -> ValueError:
    return ValueError(f"{path} is not as it was written: it {wrong}; {remedy}.".replace("\n", " "))


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not part of JSON")


def _is_deeper(found: Any, levels: int) -> bool:
    """Whether containers lie in each other more than so many levels, without recursion."""
    layer = [found] if _is_container(found) else []
    for _ in range(levels + 1):
        layer = [v for one in layer for v in (one.values() if isinstance(one, dict) else one) if _is_container(v)]
        if not layer:
            return False
    return True


def _is_container(value: Any) -> bool:
    return isinstance(value, dict | list)


def _mismatch(found: Any, shape: Any, where: str) -> str | None:
    """What is wrong with the value at `where`, to be said after `it`; None if nothing is."""
    if isinstance(shape, dict):
        return _object_mismatch(found, shape, where)
    if isinstance(shape, list):
        if not isinstance(found, list) or (len(shape) > 1 and len(found) != len(shape)):
            return _said(found, shape, where)
        shapes = shape * len(found) if len(shape) == 1 else shape
        pairs = enumerate(zip(found, shapes, strict=True))
        return next((w for i, (v, s) in pairs if (w := _mismatch(v, s, f"{where}[{i}]"))), None)
    if isinstance(shape, tuple):
        wrong = [_mismatch(found, one, where) for one in shape]
        if None in wrong:
            return None
        # What is wrong inside a value of the right kind says more than all that it might have been.
        inside = [w for w, one in zip(wrong, shape, strict=True) if isinstance(one, dict | list) and w]
        return inside[0] if _is_container(found) and len(inside) == 1 else _said(found, shape, where)
    return None if _is_of(found, shape) else _said(found, shape, where)


def _object_mismatch(found: Any, shape: dict[Any, Any], where: str) -> str | None:
    if not isinstance(found, dict):
        return _said(found, shape, where)
    named = {key for key in shape if isinstance(key, str)}
    others = next((key for key in shape if key not in named), None)
    if missing := sorted(named - found.keys()):
        return f"has no {_path(where, missing[0])}"
    for key, value in found.items():
        if key not in named and (others is None or not (others is ... or others(key))):
            return f"has {_path(where, key)}, which does not belong there"
        if wrong := _mismatch(value, shape[key if key in named else others], _path(where, key)):
            return wrong
    return None


def _is_of(found: Any, shape: type | Callable[[Any], bool] | None) -> bool:
    if shape is None:
        return found is None
    if not isinstance(shape, type):
        return shape(found)
    if shape is float:
        return isinstance(found, int | float) and not isinstance(found, bool) and abs(found) <= sys.float_info.max
    return isinstance(found, shape) and not (shape is int and isinstance(found, bool))


def _said(found: Any, shape: Any, where: str) -> str:
    return f"has {_shown(found)} {f'as {where}' if where else 'alone'}, where {_expected(shape)} belongs"


def _shown(found: Any) -> str:
    if _is_container(found):
        return "an object" if isinstance(found, dict) else "a list"
    text = json.dumps(found)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _expected(shape: Any) -> str:
    if shape is None:
        return "null"
    if isinstance(shape, tuple):
        return " or ".join(map(_expected, shape))
    if isinstance(shape, dict):
        return "an object"
    if isinstance(shape, list):
        return "a list" if len(shape) == 1 else f"a list of {len(shape)}"
    if isinstance(shape, type):
        return _NAMES.get(shape, shape.__name__)
    return (shape.__doc__ or shape.__name__).split("\n")[0].rstrip(".")


def _path(where: str, key: str) -> str:
    """`papers.cohen_2021.seconds`; a key that is no name in quotes."""
    plain = key if key.isidentifier() else json.dumps(key[:60])
    return f"{where}.{plain}" if where else plain
