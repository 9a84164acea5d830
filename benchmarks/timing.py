"""How long a call takes, compilation excluded."""

import time
from collections.abc import Callable
from typing import Any

import jax


def seconds(call: Callable[[], Any], times: int = 3) -> float:
    """The least of some calls, after one that compiles."""
    jax.block_until_ready(call())
    found = []
    for _ in range(times):
        begin = time.perf_counter()
        jax.block_until_ready(call())
        found.append(time.perf_counter() - begin)
    return min(found)
