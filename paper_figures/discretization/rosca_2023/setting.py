"""What the runs behind the figure are made with."""

import numpy as np

SMOOTH = {"gradient flow": 1, "order 2": 2, "order 3": 3}
FLOWS = (*SMOOTH, "principal")
CURVATURES, START, SAMPLES = (2.0, 0.02), (-0.35, -0.2), 15
Z = (0.5, 0.9, 1.0, 1.5, 1.8, 1.98, 2.02, 2.1, 2.4)
EVERY, QUICK_EVERY = (2, 3, 4, 6, 8, 12, 16), (2, 4, 8, 16)
ESCAPE_Z, NUDGE = 2.1, 1e-4
WIDTHS, EXAMPLES, GAIN, RATE, TOP = (12, 12), 60, 0.4, 0.25, 3
WARM_UP, DETAIL = 480, 240
WINDOWS, QUICK_WINDOWS = 48, 12
START_Z, QUICK_START_Z = tuple(np.geomspace(0.1, 2.5, 15)), tuple(np.geomspace(0.15, 2.0, 6))
TIGHT, LOOSE = 1e-12, 1e-7
