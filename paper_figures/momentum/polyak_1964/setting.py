"""What the runs behind the figure are made with."""

from collections.abc import Callable

import discrete
from discrete import Method

KINDS: dict[str, Callable[[float], Method]] = {
    "heavy ball": lambda b: discrete.HeavyBall(1.0, b),
    "Nesterov": lambda b: discrete.Nesterov(1.0, b),
    "look-ahead points": lambda b: discrete.NesterovLookAhead(1.0, b),
    "two-step, a = b/2": lambda b: discrete.TwoStep(1.0, b, b / 2),
}
MOMENTA, QUICK_MOMENTA = (0.1, 0.3, 0.5, 0.8, 0.95), (0.3, 0.8)
RUN, MEASURED, HALVINGS = 20_000, 10_000, 34
GRID = 121
CONDITIONS = (3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
FASTEST = {"condition": 100.0, "points": 201}
PERIOD = {"curvature": 0.01, "momentum": 0.9, "steps": 400}


def polyak_parameters(condition: float) -> discrete.HeavyBall:
    """For curvatures from m to 1, 1/m = condition: h = 4/(1 + q)^2, b = ((1 - q)/(1 + q))^2, q^2 = m."""
    root = condition**-0.5
    return discrete.HeavyBall(4 / (1 + root) ** 2, ((1 - root) / (1 + root)) ** 2)


# The textbook's choices; Nesterov's fastest on quadratics is a little faster still (Lessard, Recht and Packard 2016).
RATES: dict[str, Callable[[float], Method]] = {
    "gradient descent": lambda condition: discrete.GradientDescent(2 / (1 + 1 / condition)),
    "Nesterov": lambda condition: discrete.nesterov_strongly_convex(1.0, 1 / condition),
    "heavy ball": polyak_parameters,
}
