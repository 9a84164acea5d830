"""An oscillation of period two as a method sees it, under the name that the flows of the edge know it by."""

from discrete import Method
from discrete.traits import Alternation


def alternation(method: Method) -> Alternation | None:
    """What the method answers; None for one with a preconditioner whose motion it does not tell."""
    return None if method.has_preconditioner and method.memory() is None else method.alternation()
