"""What a value is made of, as JSON that is the same exactly where the value is: identity by content.

    none, bool, int, text, finite float     itself
    tuple, list                             a list; a named tuple as a record
    dict                                    an object, its order kept; a list of pairs where a key is no text
    array                                   {"array": dtype and shape, "sha256": of its bytes}
    dataclass, equinox module               {"<class>": fields}, and the code of a class of the user's own; methods,
                                            flows and integrators are such
    partial, bound or jitted function       what it wraps, and with what
    function                                {"function": qualified name, "sha256": of its code}
    class, builtin, dtype, enum             its qualified name

Code is the bytecode with its constants, names, defaults and closure, and that of the functions of this project or of
its own module which it names, with the data that it names there: another Python may compile another one.
"""

import builtins
import dataclasses
import enum
import functools
import hashlib
import inspect
import json
import math
import sys
import uuid
from collections.abc import Callable
from fractions import Fraction
from pathlib import PurePath
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

OURS = ("landscapes", "discrete", "flows", "comparisons", "paper_figures")
# What checks types wraps functions, in tests only.
CHECKERS = ("beartype", "jaxtyping")
_PLAIN = (bool, int, float, complex, str, tuple, np.ndarray, np.generic, jax.Array)


def content(name: str, value: Any) -> Any:
    """The JSON of a constant; ValueError with the place inside it where something cannot be told apart by content."""
    return _content(value, name, ())


def same_content(one: Any, other: Any) -> bool:
    """Whether two values are made of the same; False where that cannot be told."""
    if one is other:
        return True
    try:
        return content("value", one) == content("value", other)
    except ValueError:
        return False


def _content(value: Any, where: str, above: tuple[int, ...]) -> Any:
    """above: ids of what the value is inside of."""
    if value is None or isinstance(value, bool | str) or type(value) is int:
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"float": str(float(value))}
    if id(value) in above:
        return {"recursion": above[::-1].index(id(value))}
    for kinds, read in _READERS:
        if isinstance(value, kinds):
            return read(value, where, (*above, id(value)))
    if hasattr(value, "__wrapped__"):
        return {_named(type(value)): _content(value.__wrapped__, where, (*above, id(value)))}
    if dataclasses.is_dataclass(value):
        return _record(value, {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}, where, above)
    raise ValueError(
        f"the constant `{where}` is a {_named(type(value))}, which cannot be told from another one by its content; "
        "make it of numbers, texts, tuples, dicts, arrays, functions, dataclasses or equinox modules, or build it "
        "where it is used."
    )


def _array(value: Any, where: str, above: tuple[int, ...]) -> Any:
    del above
    if jnp.issubdtype(value.dtype, jax.dtypes.prng_key):
        return {"key": str(jax.random.key_impl(value)), **_array(jax.random.key_data(value), where, ())}
    row = np.asarray(value)
    if row.dtype.hasobject:
        raise ValueError(f"the constant `{where}` is an array of objects, which cannot be told apart by content.")
    return {"array": f"{row.dtype.str}{list(row.shape)}", "sha256": _sha(np.ascontiguousarray(row).tobytes())}


def _row(value: Any, where: str, above: tuple[int, ...]) -> Any:
    if hasattr(value, "_fields"):
        return _record(value, value._asdict(), where, above)
    return [_content(one, f"{where}[{i}]", above) for i, one in enumerate(value)]


def _set(value: Any, where: str, above: tuple[int, ...]) -> Any:
    return {"set": sorted((_content(one, where, above) for one in value), key=json.dumps)}


def _mapping(value: Any, where: str, above: tuple[int, ...]) -> Any:
    pairs = [[_content(k, f"{where} key", above), _content(v, f"{where}[{k!r}]", above)] for k, v in value.items()]
    return dict(pairs) if all(isinstance(key, str) for key in value) else {"pairs": pairs}


def _partial(value: Any, where: str, above: tuple[int, ...]) -> Any:
    parts = {"function": value.func, "args": value.args, "keywords": value.keywords}
    return {"partial": {key: _content(part, f"{where}.{key}", above) for key, part in parts.items()}}


def _bound(value: Any, where: str, above: tuple[int, ...]) -> Any:
    return {"method": [_content(one, where, above) for one in (value.__func__, value.__self__)]}


def _record(value: Any, fields: dict[str, Any], where: str, above: tuple[int, ...]) -> Any:
    inside = (*above, id(value))
    found = {key: _content(one, f"{where}.{key}", inside) for key, one in fields.items()}
    if code := _code_of_class(type(value)):
        found["code"] = code
    return {_named(type(value)): found}


@functools.cache
def _code_of_class(kind: type) -> dict[str, Any]:
    """The code of its functions, and the data beside them, as far as it was not installed and is not ours."""
    found: dict[str, Any] = {}
    for one in kind.__mro__:
        if _is_installed(one.__module__):
            continue
        for name, attribute in vars(one).items():
            code = _code_in_class(attribute)
            # What Python and dataclasses write into a class follows from what is read beside it.
            if code is not None and (not name.startswith("__") or name in ("__call__", "__check_init__", "__init__")):
                try:
                    found[f"{_named(one)}.{name}"] = _content(code, name, ())
                except ValueError:
                    # The same class in this process alone: this is found once for each.
                    found[f"{_named(one)}.{name}"] = str(uuid.uuid4())
    return found


def _code_in_class(attribute: Any) -> Any:
    """A function or plain datum that stands in a class, None for anything else."""
    if isinstance(attribute, property):
        return attribute.fget
    # Classmethods and staticmethods; and equinox, which wraps the functions of its modules.
    attribute = getattr(attribute, "__func__", getattr(attribute, "method", attribute))
    return attribute if isinstance(attribute, (FunctionType, *_PLAIN)) else None


def _is_installed(module: str) -> bool:
    """Whether a module came with Python, was installed, or is of this project."""
    package = module.split(".")[0]
    if package in sys.stdlib_module_names or package in OURS:
        return True
    return "site-packages" in (getattr(sys.modules.get(module), "__file__", None) or "")


def _function(value: Any, where: str, above: tuple[int, ...]) -> Any:
    if value.__globals__.get("__name__", "").split(".")[0] in CHECKERS and hasattr(value, "__wrapped__"):
        return _content(value.__wrapped__, where, above)
    parts = [_code(value.__code__)]
    for key, part in (("default", value.__defaults__), ("keyword", value.__kwdefaults__)):
        parts.append(_content(part, f"{where} {key}", above))
    for name, cell in zip(value.__code__.co_freevars, value.__closure__ or (), strict=True):
        try:
            parts.append([name, _content(cell.cell_contents, f"{where}, its {name}", above)])
        except ValueError as error:
            if str(error) != "Cell is empty":
                raise
    own = not _is_installed(value.__globals__.get("__name__", ""))
    for name in sorted(_names(value.__code__)):
        used = value.__globals__.get(name)
        if _is_ours(used) or isinstance(used, _PLAIN) or (own and (_is_beside(used, value) or _is_data(used))):
            parts.append([name, _content(used, f"{where}, its {name}", above)])
    return {"function": _named(value), "sha256": _sha(json.dumps(parts).encode())}


def _code(code: CodeType) -> Any:
    constants = [_constant(one) for one in code.co_consts]
    return [code.co_code.hex(), constants, code.co_names, code.co_varnames, code.co_argcount, code.co_kwonlyargcount]


def _constant(value: Any) -> Any:
    """Of a piece of code; a set of texts has another order in every process."""
    if isinstance(value, CodeType):
        return _code(value)
    return sorted(map(repr, value)) if isinstance(value, frozenset) else repr(value)


def _names(code: CodeType) -> set[str]:
    """Of all that it and the functions in it look up."""
    return set(code.co_names).union(*(_names(one) for one in code.co_consts if isinstance(one, CodeType)))


def _is_ours(value: Any) -> bool:
    """A function of this project, jitted or not."""
    if isinstance(value, type) or not callable(value):
        return False
    return isinstance(found := inspect.unwrap(value), FunctionType) and found.__module__.split(".")[0] in OURS


def _is_beside(used: Any, value: Any) -> bool:
    """A function of the same module."""
    return isinstance(used, FunctionType) and used.__globals__ is value.__globals__


def _is_data(used: Any) -> bool:
    """A dict, a list or an instance of a dataclass."""
    return isinstance(used, dict | list) or (dataclasses.is_dataclass(used) and not isinstance(used, type))


def _name_of(value: Any, where: str, above: tuple[int, ...]) -> Any:
    del above
    name = _named(value)
    if "<locals>" in name:
        raise ValueError(f"the constant `{where}` is {name}, a name that others may have; define it in a module.")
    return {"name": name}


def _text_of(value: Any, where: str, above: tuple[int, ...]) -> Any:
    del where, above
    return {_named(type(value)): repr(value)}


def _named(value: Any) -> str:
    """Module and qualified name; of numpy's universal functions, which have no module, their name."""
    module = getattr(value, "__module__", None) or "numpy"
    name = getattr(value, "__qualname__", None) or value.__name__
    return name if module == builtins.__name__ else f"{module}.{name}"


_Reader = Callable[[Any, str, tuple[int, ...]], Any]
# The first kind that fits.
_READERS: tuple[tuple[Any, _Reader], ...] = (
    (enum.Enum, _text_of),
    ((np.ndarray, np.generic, jax.Array), _array),
    ((tuple, list), _row),
    ((set, frozenset), _set),
    (dict, _mapping),
    (functools.partial, _partial),
    (MethodType, _bound),
    (FunctionType, _function),
    ((type, BuiltinFunctionType, np.ufunc), _name_of),
    ((int, float, complex, bytes, range, slice, Fraction, PurePath, np.dtype), _text_of),
)


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
