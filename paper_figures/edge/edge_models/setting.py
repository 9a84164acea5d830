"""What the runs behind the figure are made with."""

from collections.abc import Callable
from typing import Any

import flows

RATE, WARM_UP, STEPS, QUICK_STEPS, EVERY = 0.15, 100, 3000, 800, 20
QUICK_EXAMPLES, EXAMPLES = 100, 300
MODELS: dict[str, Callable[[Any], flows.Flow]] = {
    "gradient flow": flows.GradientFlow,
    "self-stabilization": flows.SelfStabilization,
    "central": flows.CentralFlow,
    "central, modified drift": lambda method: flows.CentralFlow(method, order=2),
    "rod": flows.RodFlow,
    "edge, order 1": lambda method: flows.EdgeFlow(method, order=1),
    "edge, order 2": lambda method: flows.EdgeFlow(method, order=2),
    "edge, order 3": lambda method: flows.EdgeFlow(method, order=3),
}
QUICK_MODELS = ("gradient flow", "central", "central, modified drift", "edge, order 2")
