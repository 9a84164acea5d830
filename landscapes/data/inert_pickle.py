"""A reader of pickles that holds plain values and numpy arrays, and that can run no code.

Files come from elsewhere, and a pickle is a program: what it names becomes a stand-in that only notes how it is used.
"""

import io
import pickle
import pickletools
from pathlib import Path
from typing import Any

_ARRAY_MODULES = ("numpy.core.multiarray", "numpy._core.multiarray")
_NUMPY_NAMES = ("numpy.ndarray", "numpy.dtype", "_codecs.encode", *(f"{name}._reconstruct" for name in _ARRAY_MODULES))
_LARGEST_MEMO = 2**20
# The official batches are 31 MB; the largest takes some 40,000 operations, and each may make an object.
MOST_BYTES = 2**28
MOST_OPERATIONS = 2**20


class StandIn:
    """What a name in a pickle stands for here: calling it or giving it a state only notes the values.

    An instance, never a class or function: a pickle can rewrite the attributes of what it is handed (BUILD).
    """

    __slots__ = ("args", "name", "state")

    def __init__(self, name: str, args: tuple[Any, ...] = ()) -> None:
        self.name, self.args, self.state = name, args, ()

    def __call__(self, *args: Any) -> Any:
        # Python 3 writes bytes at protocol 2 as a call of encode, also for the keys of the dict.
        if self.name == "_codecs.encode" and type(args[0]) is str and args[1:] == ("latin1",):
            return args[0].encode("latin1")
        return StandIn(self.name, args)

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _InertUnpickler(pickle.Unpickler):
    """Loads plain values and stand-ins for numpy's names; every other name raises ValueError."""

    def find_class(self, module_name: str, global_name: str, /) -> StandIn:
        name = f"{module_name}.{global_name}"
        if name not in _NUMPY_NAMES:
            raise ValueError(f"the file asks to run code ({name[:100]!r}) and was refused")
        return StandIn(name)


def load_inert(path: Path) -> object:
    """The content of a pickle file, numpy's objects as stand-ins.

    Raises OSError when it cannot be read, ValueError (one line) when it is broken, asks to run code, or is larger than
    any official file by far.
    """
    if (size := path.stat().st_size) > MOST_BYTES:
        raise ValueError(f"{size} bytes, where at most {MOST_BYTES} are read")
    content = path.read_bytes()
    try:
        for count, (opcode, value, _) in enumerate(pickletools.genops(content)):
            if count == MOST_OPERATIONS:
                raise ValueError(f"more than {MOST_OPERATIONS} operations")
            # EXT could pass by find_class, and a memo with a huge index would fill the memory.
            if opcode.name.startswith("EXT") or (opcode.name.endswith("PUT") and int(value or 0) > _LARGEST_MEMO):
                raise ValueError(f"the file asks to run code ({opcode.name} {value}) and was refused")
        # The official files are pickles of Python 2, whose strings are bytes.
        return _InertUnpickler(io.BytesIO(content), encoding="bytes").load()
    except Exception as error:  # a damaged pickle can make the loader raise nearly anything
        reason = " ".join(str(error).split())[:300]
        raise ValueError(f"{type(error).__name__} in {len(content)} bytes: {reason}") from error
