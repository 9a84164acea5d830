"""The flows that can be asked for by name."""

import re

from discrete import Method
from landscapes.named import unknown

from .flow import Flow
from .gradient_flow import GradientFlow
from .modified import ModifiedFlow

FLOWS = {"gradient": "gradient flow, order 1", "modified-P": "modified flow of order P, e.g. modified-2"}


def flow_named(name: str, method: Method) -> Flow:
    """The named flow of a method: `gradient`, or `modified-P` with an order P."""
    if name == "gradient":
        return GradientFlow(method)
    if found := re.fullmatch(r"modified-(-?\d+)", name):
        return ModifiedFlow(method, order=int(found[1]))
    raise unknown("flows", name, ["gradient", "modified-2"])
