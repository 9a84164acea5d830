"""What the runs behind the figure are made with."""

import numpy as np

# Starts of the diagonal network: 1 - s at one scale, and shapes of one k with scales to match.
SCALE = 1e-4
GAPS = tuple(float(f"{gap:.4g}") for gap in np.geomspace(1, 1e-5, 11))
QUICK_GAPS = (1.0, 1e-2, 1e-3, 1e-5)
EQUAL_SHAPES, EQUAL_ROOT_K = (0.0, 0.9, 0.99), 0.04
DELTAS = (0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
QUICK_DELTAS = (0.0, 1.0, 10.0, 30.0, 100.0)
