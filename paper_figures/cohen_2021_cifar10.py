"""Cohen, Kaur, Li, Kolter and Talwalkar 2021, "Gradient descent on neural networks typically occurs at the edge of
stability": their fully connected network with tanh on CIFAR-10, where its files are given.

The paper shows on 5,000 images that the sharpness rises until it reaches 2/h and stays there, while along gradient flow
it rises further, and that from then on the loss falls over long times only.

Here the network is theirs, 3072-200-200-10 with biases, square loss, on the first 1,000 images, each pixel
standardized. It is trained in the coordinates of the span of the images, which is the same run (see `in_input_span`).
Three learning rates have 2/h between the sharpness at the start, 54, and what gradient flow reaches; the control has it
above.

There are a fifth of the paper's images, and a shorter time; the start has the paper's scale, from another generator.
The plateau is 8 to 13 % above 2/h, higher than in the paper's curves and no transient: at h = 0.028 it is 12 % above in
the iterates averaged over their oscillation too.
"""

from pathlib import Path

import xarray
from matplotlib.figure import Figure

import discrete
import flows
import landscapes

from .claim import Claim
from .edge_runs import FLOW, draw_runs, edge_claims, edge_run
from .stored import load as load, stored

GAIN = landscapes.settings_of("cifar10-mlp")["gain"]
LEARNING_RATES, DURATION, EXAMPLES = (0.028, 0.024, 0.020, 0.008), 27.0, 1000
QUICK_LEARNING_RATES, QUICK_DURATION, QUICK_EXAMPLES = (0.028, 0.024, 0.012), 15.0, 200
SAMPLES, QUICK_SAMPLES = 60, 40
SHARPNESS_TOLERANCE = 1e-3


def missing(*, quick: bool) -> str | None:
    """Why nothing can be computed here: the files of CIFAR-10 are not given, or are too few; None where it can be."""
    try:
        landscapes.cifar10_mlp(widths=(1,), examples=QUICK_EXAMPLES if quick else EXAMPLES, in_span=False)
    except ValueError as error:
        return str(error)
    return None


def compute(folder: Path, *, quick: bool) -> list[Path]:
    """One netCDF file for each learning rate, written when its run is whole; ValueError where there are no data."""
    rates = QUICK_LEARNING_RATES if quick else LEARNING_RATES
    return [
        path
        for rate in rates
        for path in stored(
            folder,
            f"cohen_2021_cifar10_h{rate:.3f}",
            quick=quick,
            # Gradient flow is the same for all: it runs beside the first, and beside the control.
            computed=lambda: _run(rate, quick=quick, beside=rate in (rates[0], rates[-1])),
        )
    ]


def _run(rate: float, *, quick: bool, beside: bool) -> xarray.Dataset:
    duration, examples = (QUICK_DURATION, QUICK_EXAMPLES) if quick else (DURATION, EXAMPLES)
    problem = landscapes.cifar10_mlp(examples=examples, gain=GAIN)
    method = discrete.GradientDescent(rate)
    every = max(1, round(duration / rate / (QUICK_SAMPLES if quick else SAMPLES)))
    return edge_run(
        method,
        {FLOW: flows.GradientFlow(method)} if beside else {},
        problem,
        steps=round(duration / rate / every) * every,
        every=every,
        title=f"h = {rate}: ",
        tolerance=SHARPNESS_TOLERANCE,
        integrator=flows.explicit(rtol=1e-6, atol=1e-9),
    )


def judge(runs: list[xarray.Dataset]) -> list[Claim]:
    """The plateau at 2/h, progressive sharpening beyond it along the flow, when the paths part, how the loss falls."""
    because = "the paper's curves stay within 1.0 to 1.05; 5 % more either way for fewer images and a shorter time"
    return edge_claims(runs, because=because)


def draw(runs: list[xarray.Dataset]) -> Figure:
    """Loss and sharpness of every learning rate, and the distance to gradient flow of the first and of the control."""
    return draw_runs(runs)
