"""The flows that can be asked for by name."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from discrete import Method
from landscapes.named import unknown

from .edge import CentralFlow, EdgeFlow, PrincipalFlow, RodFlow, SelfStabilization, StableFlow
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
    "invariant-manifold": "gradient flow of the modified loss of momentum, for a start on the slow manifold",
    "invariant-manifold-rest": "the same from where a start at rest seems to come from",
    "su-boyd-candes": "equation of Nesterov's convex momentum",
    "speed-restart": "the same, restarted when its speed stops growing",
    "polyak": "ball with friction (1 - b)/sqrt(h)",
    "muehlebach-jordan": "the same with the gradient taken ahead",
    "low-resolution": "limit of accelerated methods on strongly convex losses",
    "high-resolution": "the same with terms of size sqrt(h)",
    "high-resolution-convex": "equation of Nesterov's convex momentum with terms of size sqrt(h)",
    "high-resolution-convex-3": "the same with terms of size h",
    "bregman": "Bregman-Lagrangian flow of order p",
    "stable": "where gradient descent or RMSProp would go if it did not oscillate",
    "central": "average course at the edge of stability, and the oscillation that keeps it there",
    "central-modified": "the same with the modified drift of order 2 along stable directions",
    "self-stabilization": "gradient descent held at the edge of stability, and its predicted displacement",
    "self-stabilization-cubic": "the same with all of the loss to third order",
    "principal": "logarithm of the method along the top 4 eigenvectors, complex past a sharpness of 1/h",
    "principal-real": "its real part, the envelope of the oscillation",
    "rod": "centre and covariance of two successive iterates of gradient descent",
    "edge-P": "centre and swing of the oscillation at the edge of stability, order P up to 4",
}
SINGLE: dict[str, Callable[[Any], Flow]] = {
    "gradient": GradientFlow,
    "kovachki-stuart": KovachkiStuart,
    "invariant-manifold": InvariantManifold,
    "invariant-manifold-rest": partial(InvariantManifold, start="rest"),
    "su-boyd-candes": SuBoydCandes,
    "speed-restart": SpeedRestart,
    "polyak": Polyak,
    "muehlebach-jordan": MuehlebachJordan,
    "low-resolution": LowResolution,
    "high-resolution": HighResolution,
    "high-resolution-convex": HighResolutionConvex,
    "high-resolution-convex-3": partial(HighResolutionConvex, order=3),
    "bregman": Bregman,
    "stable": StableFlow,
    "central": CentralFlow,
    "central-modified": partial(CentralFlow, order=2),
    "self-stabilization": SelfStabilization,
    "self-stabilization-cubic": partial(SelfStabilization, displacement="cubic"),
    "principal": partial(PrincipalFlow, k=4),
    "principal-real": partial(PrincipalFlow, k=4, branch="real"),
    "rod": RodFlow,
}
NAMED = (*SINGLE, "modified-2", "modified-2-rest", "modified-optimal", "iterates-2", "edge-2")


def flow_named(name: str, method: Method) -> Flow:
    """The named flow of a method; ValueError where there is none of that name, or none of that method."""
    if name in SINGLE:
        try:
            return SINGLE[name](method)
        except ValueError as error:
            raise ValueError(f"{error}{_others(name, method)}") from error
    if found := re.fullmatch(r"modified-(-?\d+|optimal)(-rest)?", name):
        order = "optimal" if found[1] == "optimal" else int(found[1])
        return ModifiedFlow(method, order=order, start="rest" if found[2] else "params")
    if found := re.fullmatch(r"iterates-(-?\d+)", name):
        return IterateFlow(method, order=int(found[1]))
    if found := re.fullmatch(r"edge-(-?\d+)", name):
        return EdgeFlow(method, order=int(found[1]))
    raise unknown("flows", name, NAMED)


def _others(name: str, method: Method) -> str:
    """The flows by name that do describe the method."""

    def describes(make: Callable[[Any], Flow]) -> bool:
        try:
            make(method)
        except ValueError:
            return False
        return True

    found = [other for other, make in (SINGLE | {"edge-2": EdgeFlow}).items() if other != name and describes(make)]
    return f" What describes it: {', '.join(found)}." if found else ""
