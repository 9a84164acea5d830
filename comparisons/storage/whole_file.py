"""Files that are there whole or not at all: the one place where the project writes.

A file is written under another name beside it, then renamed. The other name is new each time and opened exclusively, so
that nothing that lies there, a symbolic link least of all, is written through. A kill leaves at most such a name.
"""

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

# Before the random part came in, a name had none.
_UNFINISHED = re.compile(r"\.(?P<name>.+?)(\.[0-9a-f]{16})?\.part")


@contextmanager
def whole_file(path: str | Path) -> Iterator[BinaryIO]:
    """A binary file to write; it takes the place of `path` when the block ends, and leaves nothing when it fails.

    `file.name` is where it lies meanwhile, for libraries that open files themselves. OSError names `path`.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror or str(error), str(path)) from error
        raise


def write_atomically(path: str | Path, content: bytes) -> None:
    """Write a file whole: readers see all of it or what was there before. OSError names it."""
    with whole_file(path) as file:
        file.write(content)


def unfinished_name(name: str) -> str | None:
    """The file that a name such as `.config.json.<16 hex digits>.part` was to become; None for other names."""
    found = _UNFINISHED.fullmatch(name)
    return found["name"] if found else None


@contextmanager
def telling(what_is_safe: str) -> Iterator[None]:
    """An OSError from within also says what is safe, and how to go on."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, f"{error.strerror or error} ({what_is_safe})", error.filename) from error


def expanded(path: str | Path, argument: str) -> Path:
    """The path with `~` as the home folder; ValueError where there is none, or where the path is empty."""
    if not str(path):
        raise ValueError(f"`{argument}` is empty; pass the path of a folder or file.")
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise ValueError(f"`{argument}` {path} names the home folder of a user that is not known here.") from error
