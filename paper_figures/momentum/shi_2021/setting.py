"""What the runs behind the figure are made with."""

import discrete
import flows

EXAMPLE, CONVEXITY, RATE, PLANE_RATE, STEPS = (0.01, 2.0), 0.01, 0.01, 0.05, 100
KINDS = {
    "NAG-SC": discrete.nesterov_strongly_convex_look_ahead,
    "heavy ball": discrete.heavy_ball_strongly_convex,
}
MODELS = {
    "low": flows.LowResolution,
    "published": lambda method: flows.HighResolution(method, start="published"),
    "corrected": flows.HighResolution,
}
ORDER_CONVEXITY, ORDER_DURATION, ORDER_STEPS = 1.0, 2.0, (140, 200, 300, 440, 640)
QUICK_ORDER_STEPS = (140, 200, 300, 440)
MODES, CONDITION, CONVEX_STEPS = 200, 1e4, 300
ENERGY_STEPS = 300
