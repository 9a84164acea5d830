"""What the runs behind the figure are made with."""

from typing import NamedTuple

import discrete

EVERY = 20
CENTRAL, STABLE = "central", "stable"
CRITICAL = 5


class Case(NamedTuple):
    """A method, its first steps, which no flow follows, for how many it is followed then, and the network."""

    method: discrete.Method
    warm_up: int
    steps: int
    widths: tuple[int, ...] = (20, 20)
    examples: int = 300


CASES = {
    "gradient descent": Case(discrete.GradientDescent(0.15), 100, 3000),
    "scalar RMSProp": Case(discrete.ScalarRMSProp(0.02, 0.95, bias_correction=True), 40, 1000),
    "RMSProp": Case(discrete.RMSProp(0.0005, 0.99, bias_correction=True), 100, 1000),
}
# Compilation is most of it: one method, from within the edge.
QUICK_CASES = {"gradient descent": Case(discrete.GradientDescent(0.2), 620, 600, (12, 12), 100)}
