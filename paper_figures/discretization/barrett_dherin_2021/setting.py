"""What the runs behind the figure are made with."""

from .penalized_runs import Experiment

STEPS, QUICK_STEPS = (400, 566, 800, 1131, 1600, 2263, 3200), (400, 800, 1600, 3200)
CROSS_ENTROPY = Experiment(
    criterion="cross-entropy",
    gain=1.0,
    widths=(32, 32),
    examples=500,
    seeds=(0, 1, 2),
    rates=(1 / 2, 1 / 4, 1 / 8, 1 / 32),
    strengths=(0.0, 1.0, 2.0),
    levels=(0.6, 0.3, 0.15),
    duration=48.0,
)
QUICK_CROSS_ENTROPY = CROSS_ENTROPY._replace(
    widths=(24,), examples=200, seeds=(0,), rates=(1 / 2, 1 / 4, 1 / 8, 1 / 16), duration=32.0
)
SQUARE_LOSS = Experiment(
    criterion="mse",
    gain=0.8,
    widths=(32,),
    examples=200,
    seeds=(0, 1, 2),
    rates=(1 / 16, 1 / 32, 1 / 64, 1 / 128),
    strengths=(),
    levels=(0.2, 0.1, 0.05),
    duration=192.0,
)
