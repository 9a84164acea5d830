"""What the runs behind the figure are made with."""

import flows

STEP, EXAMPLES, SIZES = 0.1, 200, (64, 20, 20, 10)
FRACTIONS, QUICK_FRACTIONS = (1, 2, 5, 10, 20), (1, 2, 5)
SAMPLES, QUICK_SAMPLES = 200, 50
# Sums of identity, relu and tanh, so that one compiled program serves all three networks.
ACTIVATIONS = {"linear": (1.0, 0.0, 0.0), "relu": (0.0, 1.0, 0.0), "tanh": (0.0, 0.0, 1.0)}
TOLERANCE, LOOSE = 1e-4, flows.explicit(rtol=1e-6, atol=1e-9)
DEPTH, SCALES, QUICK_SCALES, EVERY = 3, (0.1, 0.05, 0.025, 0.0125), (0.1, 0.05, 0.025), 2
STARTS, SADDLE_END = {"beside": (1.0, 0.1), "on": (0.0, 0.1)}, 6.0
