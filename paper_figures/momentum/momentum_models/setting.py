"""What the runs behind the figure are made with."""

from collections.abc import Callable
from typing import Any

import discrete
import flows

KINDS = {"heavy ball": discrete.HeavyBall, "Nesterov": discrete.Nesterov}
MOMENTUM, DURATION = 0.8, 6.0
RATES, QUICK_RATES = (0.08, 0.04, 0.02, 0.01, 0.005), (0.02, 0.01, 0.005)
SAMPLES = 75
SHOWN = 0.02
MODELS: dict[str, Callable[[Any], flows.Flow]] = {
    "rescaled gradient flow": flows.GradientFlow,
    "Polyak": flows.Polyak,
    "high resolution": flows.HighResolution,
    "Kovachki-Stuart": flows.KovachkiStuart,
    "manifold (modified, order 2)": lambda method: flows.InvariantManifold(method, start="rest"),
    "modified, order 3": lambda method: flows.ModifiedFlow(method, order=3, start="rest"),
    "modified, order 4": lambda method: flows.ModifiedFlow(method, order=4, start="rest"),
}
