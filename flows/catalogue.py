"""The flows that can be asked for by name."""

import re

from discrete import Method
from landscapes.named import unknown

from .flow import Flow
from .gradient_flow import GradientFlow
from .modified import IterateFlow, ModifiedFlow

FLOWS = {
    "gradient": "gradient flow, order 1",
    "modified-P": "modified flow of order P, e.g. modified-3",
    "modified-P-rest": "the same from where a start at rest seems to come from",
    "modified-optimal": "modified flow up to its smallest term",
    "iterates-P": "modified flow of order P from the iterates, gradients only",
}
NAMED = ("gradient", "modified-2", "modified-2-rest", "modified-optimal", "iterates-2")


def flow_named(name: str, method: Method) -> Flow:
    """The named flow of a method: `gradient`, `modified-P[-rest]`, `modified-optimal` or `iterates-P` of order P."""
    if name == "gradient":
        return GradientFlow(method)
    if found := re.fullmatch(r"modified-(-?\d+|optimal)(-rest)?", name):
        order = "optimal" if found[1] == "optimal" else int(found[1])
        return ModifiedFlow(method, order=order, start="rest" if found[2] else "params")
    if found := re.fullmatch(r"iterates-(-?\d+)", name):
        return IterateFlow(method, order=int(found[1]))
    raise unknown("flows", name, NAMED)
