"""What the runs behind the figure are made with."""

import landscapes

GAIN = landscapes.settings_of("cifar10-mlp")["gain"]
LEARNING_RATES, DURATION, EXAMPLES = (0.028, 0.024, 0.020, 0.008), 27.0, 1000
QUICK_LEARNING_RATES, QUICK_DURATION, QUICK_EXAMPLES = (0.028, 0.024, 0.012), 15.0, 200
SAMPLES, QUICK_SAMPLES = 60, 40
SHARPNESS_TOLERANCE = 1e-3
