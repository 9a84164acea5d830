"""Seconds by what they were spent on, where somebody has asked."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_SECONDS: ContextVar[dict[str, float] | None] = ContextVar("seconds", default=None)


@contextmanager
def clocked() -> Iterator[dict[str, float]]:
    """Within, `spent_on` adds up; what is yielded maps names to seconds."""
    seconds: dict[str, float] = {}
    before = _SECONDS.set(seconds)
    try:
        yield seconds
    finally:
        _SECONDS.reset(before)


@contextmanager
def spent_on(what: str) -> Iterator[None]:
    """The time within counts as spent on this. Not for blocks that are inside one another."""
    seconds = _SECONDS.get()
    begin = time.perf_counter()
    try:
        yield
    finally:
        if seconds is not None:
            seconds[what] = seconds.get(what, 0.0) + time.perf_counter() - begin
