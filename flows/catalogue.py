"""The flows that can be asked for by name."""

import re
from collections.abc import Callable
from typing import Any

from discrete import Method
from landscapes.named import unknown

from .flow import Flow
from .gradient_flow import GradientFlow
from .modified import IterateFlow, ModifiedFlow
from .momentum import (
    Bregman,
    HighResolution,
    HighResolutionConvex,
    InvariantManifold,
    KovachkiStuart,
    LowResolution,
    MuehlebachJordan,
    Polyak,
    SpeedRestart,
    SuBoydCandes,
)

FLOWS = {
    "gradient": "gradient flow, order 1",
    "modified-P": "modified flow of order P, e.g. modified-3",
    "modified-P-rest": "the same from where a start at rest seems to come from",
    "modified-optimal": "modified flow up to its smallest term",
    "iterates-P": "modified flow of order P from the iterates, gradients only",
    "kovachki-stuart": "second-order equation with inertia of size h",
    "invariant-manifold": "gradient flow of the modified loss of momentum, and where it lives",
    "su-boyd-candes": "equation of Nesterov's convex momentum",
    "speed-restart": "the same, restarted when its speed stops growing",
    "polyak": "ball with friction (1 - b)/sqrt(h)",
    "muehlebach-jordan": "the same with the gradient taken ahead",
    "low-resolution": "limit of accelerated methods on strongly convex losses",
    "high-resolution": "the same with terms of size sqrt(h)",
    "high-resolution-convex": "equation of Nesterov's convex momentum with terms of size sqrt(h)",
    "bregman": "Bregman-Lagrangian flow of order p",
}
SINGLE: dict[str, Callable[[Any], Flow]] = {
    "gradient": GradientFlow,
    "kovachki-stuart": KovachkiStuart,
    "invariant-manifold": InvariantManifold,
    "su-boyd-candes": SuBoydCandes,
    "speed-restart": SpeedRestart,
    "polyak": Polyak,
    "muehlebach-jordan": MuehlebachJordan,
    "low-resolution": LowResolution,
    "high-resolution": HighResolution,
    "high-resolution-convex": HighResolutionConvex,
    "bregman": Bregman,
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
