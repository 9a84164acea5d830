"""What the runs behind the figure are made with."""

import itertools

import numpy as np

EXAMPLES, BATCHES, HIDDEN = 8, 4, 8
RATES = tuple(float(h) for h in np.geomspace(0.004, 0.0005, 7))
QUICK_RATES = tuple(float(h) for h in np.geomspace(0.004, 0.0005, 4))
EPOCHS, QUICK_EPOCHS = (40, 57, 80, 113, 160, 226, 320), (40, 57, 80, 113)
DURATION = 0.5
SHOWN_RATE = 0.02
SIZES = (1, 2, 3, 4, 6)
SAMPLINGS = {
    "reshuffled": list(itertools.permutations(range(BATCHES))),
    "independent": list(itertools.product(range(BATCHES), repeat=BATCHES)),
}
# Coefficients of |grad C|^2 and of the variance of the batches' gradients, in units of h/4.
MODELS = {"gradient flow": (0.0, 0.0), "full batch": (1.0, 0.0), "Smith": (1.0, 1.0)}
