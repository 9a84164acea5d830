"""What the runs behind the figure are made with."""

import discrete
from discrete import Method

DEGREES, QUICK_DEGREES = (3, 4, 5), (4,)
DESCENT = discrete.GradientDescent(0.1)
MOMENTUM: dict[str, Method] = {
    "heavy_ball_b0.5": discrete.HeavyBall(0.2, 0.5),
    "heavy_ball_b0.9": discrete.HeavyBall(0.1, 0.9),
    "nesterov_b0.5": discrete.Nesterov(0.1, 0.5),
    "nesterov_b0.9": discrete.Nesterov(0.1, 0.9),
}
QUICK_MOMENTUM = ("heavy_ball_b0.5", "heavy_ball_b0.9")
STEPS, QUICK_STEPS, EVERY = 24_000, 15_000, 50
