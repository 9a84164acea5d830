"""Where flows are registered: by the decorator of their class, and nowhere else."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeVar

Maker = TypeVar("Maker", bound=Callable[..., Any])


class Named(NamedTuple):
    """What makes the flow of a method, the line that says what it is, whether messages suggest it."""

    make: Callable[..., Any]
    text: str
    suggested: bool


NAMED: dict[str, Named] = {}
EXAMPLE = "2"

# Names are shown in the order of these files; those of other files follow.
READING_ORDER = (
    "gradient_flow",
    "modified_flow",
    "iterates",
    "kovachki_stuart",
    "invariant_manifold",
    "su_boyd_candes",
    "speed_restart",
    "polyak",
    "muehlebach_jordan",
    "high_resolution",
    "high_resolution_convex",
    "bregman",
    "stable",
    "central",
    "self_stabilization",
    "principal",
    "rod",
    "edge_flow",
)


def named(name: str, text: str, *, suggested: bool = True, **fixed: Any) -> Callable[[Maker], Maker]:
    """Decorator of the class of a flow, which can then be asked for by this name.

    name: a P in it stands for a whole number, the argument `order`: "edge-P" is asked for as edge-2. text: one line.
    suggested: whether it is among the answers to what describes a method; not where gradient flow says it already.
    fixed: arguments beside the method that the name stands for. Raises ValueError where another flow has the name.
    """

    def register(maker: Maker) -> Maker:
        if name in NAMED:
            taken = getattr(NAMED[name].make, "func", NAMED[name].make)
            raise ValueError(f"`name` {name!r} is taken by {taken.__module__}.{taken.__qualname__}; choose another.")
        NAMED[name] = Named(partial(maker, **fixed) if fixed else maker, text, suggested)
        return maker

    return register


def matched(pattern: str, name: str) -> re.Match[str] | None:
    """Whether a name asks for the flow of that pattern; its groups are the order, or none."""
    return re.fullmatch(re.escape(pattern).replace("P", r"(-?\d+)"), name)


def example(pattern: str) -> str:
    """A name that can be asked for: edge-2 for edge-P."""
    return pattern.replace("P", EXAMPLE)
