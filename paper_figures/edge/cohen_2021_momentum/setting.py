"""What the runs behind the figure are made with."""

from collections.abc import Callable

import numpy as np

import discrete

KINDS: dict[str, Callable[[float, float], discrete.MomentumMethod]] = {
    "heavy ball": discrete.HeavyBall,
    "Nesterov": discrete.Nesterov,
}
# h times the threshold.
EDGES: dict[str, Callable[[float], float]] = {
    "heavy ball": lambda b: 2 + 2 * b,
    "Nesterov": lambda b: (2 + 2 * b) / (1 + 2 * b),
}
MOMENTA, SHARES = (0.0, 0.3, 0.5, 0.9, 0.99), (0.99, 1.01)
SPECTRUM = np.linspace(0.1, 1.0, 20)
QUADRATIC_STEPS, QUADRATIC_EVERY = 3000, 10
# Kind, learning rate, momentum.
CASES = (
    ("heavy ball", 0.19, 0.5),
    ("heavy ball", 0.26, 0.9),
    ("heavy ball", 0.20, 0.9),
    ("Nesterov", 0.090, 0.5),
    ("Nesterov", 0.095, 0.9),
)
STEPS, QUICK_STEPS, EVERY = 6000, 1500, 10
