"""One run at a time in a folder: a lock without a file, which the system takes back from a killed process."""

import errno
import os
import sys
import weakref
from pathlib import Path

try:
    import fcntl
except ImportError:  # a system without such locks
    fcntl = None

_held: weakref.WeakValueDictionary[tuple[int, int], "Hold"] = weakref.WeakValueDictionary()


class Hold:
    """The folder is this process's for as long as the object lives or until `release`."""

    def __init__(self, descriptor: int):
        self._close = weakref.finalize(self, os.close, descriptor)

    def release(self) -> None:
        """Let others in."""
        self._close()


def hold(folder: Path, argument: str) -> Hold | None:
    """Keep other processes out of a folder that exists; ValueError naming the argument where one is in it.

    Within a process it is one hold however often it is asked for: an interrupted run may be resumed from the same
    notebook. None, with a word on standard error, where the file system knows no locks.
    """
    if fcntl is None:
        return _without(folder)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        status = os.fstat(descriptor)
        key = status.st_dev, status.st_ino
        known = _held.get(key)
        if known is not None and known._close.alive:
            os.close(descriptor)
            return known
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
            return _without(folder)
        raise ValueError(
            f"`{argument}` {folder} is in use by another run; wait until it has ended or choose another folder."
        ) from error
    _held[key] = found = Hold(descriptor)
    return found


def _without(folder: Path) -> None:
    print(f"note: no locks in {folder}; let no other run write there", file=sys.stderr)
