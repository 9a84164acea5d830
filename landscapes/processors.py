"""How many processors there are to compute with."""

import os


def processors() -> int:
    """How many this process may use."""
    told = getattr(os, "sched_getaffinity", None)
    return len(told(0)) if told else os.cpu_count() or 1
