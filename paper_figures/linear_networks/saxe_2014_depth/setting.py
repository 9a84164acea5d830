"""What the runs behind the figure are made with."""

import numpy as np

FLOWS, STRENGTHS, FLOW_FIRST = (3, 5), (4.0, 2.0, 1.0), 1e-2
DURATION, SAMPLES = 8.0, 160
STRENGTH, FIRST = 2.0, (1e-1, 1e-2, 1e-3)
DEPTHS = (2, 3, 5, 10, 20, 30, 50, 70, 100, 200, 500, 1000)
RATES = np.geomspace(0.3, 3.0, 60)
WIDTH, LEARNED, LEFT = 16, (2.0, 1.6, 1.3, 1.0), 0.01
STARTS, START_RATES = ("orthogonal", "Gaussian"), np.geomspace(0.09, 0.8, 7)
START_DEPTHS, QUICK_START_DEPTHS = (4, 8, 16, 32), (4, 8, 16)
START_SEEDS, QUICK_START_SEEDS = 36, 16
START_STEPS, QUICK_START_STEPS = 400, 150
