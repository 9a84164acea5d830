"""Cohen, Kaur, Li, Kolter and Talwalkar 2021, "Gradient descent on neural networks typically occurs at the edge of
stability": sharpness and loss for three learning rates, and when gradient descent parts from gradient flow.

The paper shows that the sharpness of networks on CIFAR-10 rises until it reaches 2/h and stays there, while along
gradient flow it rises further, and that from then on the loss falls over long times only.

Here the network is the MLP 64-32-32-10 with tanh on 500 of scikit-learn's digits, square loss. Three learning rates
have 2/h between the sharpness at the start, 12.9, and what gradient flow reaches; the control has it above.

The network is a hundred times smaller than the paper's; `cohen_2021_cifar10` has its size and its data.
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

LEARNING_RATES, DURATION, SAMPLES = (0.14, 0.11, 0.09, 0.05), 400.0, 200
QUICK_LEARNING_RATES, QUICK_DURATION, QUICK_SAMPLES = (0.15, 0.13, 0.06), 120.0, 60


def compute(folder: Path, *, quick: bool) -> list[Path]:
    """One netCDF file for each learning rate, written when its run is whole."""
    return [
        path
        for rate in (QUICK_LEARNING_RATES if quick else LEARNING_RATES)
        for path in stored(folder, f"cohen_2021_h{rate:.3f}", quick=quick, computed=lambda: _run(rate, quick))
    ]


def _run(rate: float, quick: bool) -> xarray.Dataset:
    duration, samples = (QUICK_DURATION, QUICK_SAMPLES) if quick else (DURATION, SAMPLES)
    method = discrete.GradientDescent(rate)
    every = max(1, round(duration / rate / samples))
    steps = round(duration / rate / every) * every
    models = {FLOW: flows.GradientFlow(method)}
    return edge_run(method, models, landscapes.digits_mlp(), steps=steps, every=every, title=f"h = {rate}: ")


def judge(runs: list[xarray.Dataset]) -> list[Claim]:
    """The plateau at 2/h, progressive sharpening beyond it along the flow, when the paths part, how the loss falls."""
    because = "the paper's curves stay within 1.0 to 1.05; 5 % more either way for a network a hundred times smaller"
    return edge_claims(runs, because=because)


def draw(runs: list[xarray.Dataset]) -> Figure:
    """Loss, sharpness and distance to gradient flow of every learning rate."""
    return draw_runs(runs)
