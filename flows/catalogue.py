"""The flows that can be asked for by name."""

import re
from collections.abc import Callable
from typing import Any

from discrete import Method
from landscapes.named import unknown

from .flow import Flow
from .gradient_flow import GradientFlow
from .modified import IterateFlow, ModifiedFlow
from .momentum import HighResolution, KovachkiStuart, LowResolution, SuBoydCandes

FLOWS = {
    "gradient": "gradient flow, order 1",
    "modified-P": "modified flow of order P, e.g. modified-3",
    "modified-P-rest": "the same from where a start at rest seems to come from",
    "modified-optimal": "modified flow up to its smallest term",
    "iterates-P": "modified flow of order P from the iterates, gradients only",
    "kovachki-stuart": "second-order equation with inertia of size h",
    "su-boyd-candes": "equation of Nesterov's convex momentum",
    "low-resolution": "limit of accelerated methods on strongly convex losses",
    "high-resolution": "the same with terms of size sqrt(h)",
}
SINGLE: dict[str, Callable[[Any], Flow]] = {
    "gradient": GradientFlow,
    "kovachki-stuart": KovachkiStuart,
    "su-boyd-candes": SuBoydCandes,
    "low-resolution": LowResolution,
    "high-resolution": HighResolution,
}
NAMED = (*SINGLE, "modified-2", "modified-2-rest", "modified-optimal", "iterates-2")


def flow_named(name: str, method: Method) -> Flow:
    """The named flow of a method; ValueError where there is none of that name, or none of that method."""
    if name in SINGLE:
        return SINGLE[name](method)
    if found := re.fullmatch(r"modified-(-?\d+|optimal)(-rest)?", name):
        order = "optimal" if found[1] == "optimal" else int(found[1])
        return ModifiedFlow(method, order=order, start="rest" if found[2] else "params")
    if found := re.fullmatch(r"iterates-(-?\d+)", name):
        return IterateFlow(method, order=int(found[1]))
    raise unknown("flows", name, NAMED)
