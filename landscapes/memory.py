"""Whether what is asked for fits into the memory that there is, before any of it is allocated."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BYTES = 8  # of a number: what is drawn or read is float64 first, in every precision
_SMALL = 2**28


def check_memory(numbers: int, *, times: int = 1, **arguments: Any) -> None:
    """ValueError that names the arguments, where `times` arrays of so many numbers need more memory than there is.

    arguments: what asks for them, by name, with their values.
    """
    needed = int(numbers) * times * BYTES
    if needed < _SMALL or needed <= (there := memory_there_is()):
        return
    asked = " and ".join(f"`{name}` = {_shown(value)}" for name, value in arguments.items())
    take = "take" if len(arguments) > 1 else "takes"
    raise ValueError(f"{asked} {take} {_size(needed)} of memory at least, and there are {_size(there)}; ask for less.")


def memory_there_is() -> int:
    """Bytes that this process may still take: what the machine has available, within the limits of its group."""
    return min([_available(), *_group_limits()])


def _available() -> int:
    """MemAvailable where the system says it, else all of the memory, else no limit."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 2**63


def _group_limits() -> Iterator[int]:
    """Limits of the control groups (versions 1 and 2) that this process is in, and of those above them."""
    try:
        groups = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    except OSError:
        return
    for _, controllers, group in groups:
        if controllers not in ("", "memory"):
            continue
        root = Path("/sys/fs/cgroup", controllers)
        name = "memory.limit_in_bytes" if controllers else "memory.max"
        inside = root / group.lstrip("/")
        for folder in (inside, *inside.parents):
            if folder.is_relative_to(root):
                try:
                    yield int((folder / name).read_text())
                except (OSError, ValueError):  # not there, or `max`
                    continue


def _shown(value: Any) -> str:
    if isinstance(value, int) and abs(value) > 10**300:
        return "a number of more than 300 digits"
    text = str(tuple(value)) if isinstance(value, tuple | list) else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _size(count: int) -> str:
    return "more than 1e+30 bytes" if count > 10**30 else f"{count / 1e9:.3g} GB"
