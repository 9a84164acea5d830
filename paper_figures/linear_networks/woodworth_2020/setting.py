"""What the runs behind the figure are made with."""

import numpy as np

# The scale of a network of depth D is alpha^D, the size of theta at which the regimes part.
DEPTHS, QUICK_DEPTHS = (2, 3, 4), (2, 3)
SCALES = tuple(float(f"{m:.4g}") for m in np.geomspace(1e-5, 10, 13))
QUICK_SCALES = (1e-4, 3e-4, 1e-3, 1e-2, 0.1, 1.0, 3.0, 10.0)
