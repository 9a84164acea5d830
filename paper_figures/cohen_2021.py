"""Cohen, Kaur, Li, Kolter and Talwalkar 2021, "Gradient descent on neural networks typically occurs at the edge of
stability": loss and sharpness for three learning rates, and when gradient descent parts from gradient flow.

The paper shows them on CIFAR-10; here the network is the MLP 64-32-32-10 with tanh on 500 of scikit-learn's digits,
square loss. Three learning rates have 2/h between the sharpness at the start, 12.9, and what gradient flow reaches; the
fourth, the control, has it above.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import comparisons
import discrete
import flows
import landscapes
from comparisons import Comparison
from comparisons.plot import COLOURS, DASHES, STYLE
from comparisons.progress_bar import progress_bar

from .claim import Claim

PAPER = "Cohen et al. 2021"
LEARNING_RATES = (0.14, 0.11, 0.09, 0.05)
DURATION = 400.0
QUICK_LEARNING_RATES = (0.15, 0.13, 0.11, 0.06)
QUICK_DURATION = 160.0
SAMPLES = 200


def compute(folder: Path, *, quick: bool) -> list[Path]:
    """Run the comparisons that are not there yet; one netCDF file per learning rate, written when its run is whole."""
    problem = landscapes.digits_mlp()
    observe = {"sharpness": landscapes.Sharpness(problem.loss, k=1)}
    rates, duration = (QUICK_LEARNING_RATES, QUICK_DURATION) if quick else (LEARNING_RATES, DURATION)
    paths = [folder / f"cohen_2021_h{rate:.3f}{'_quick' * quick}.nc" for rate in rates]
    for rate, path in zip(rates, paths, strict=True):
        if not path.exists():
            method = discrete.GradientDescent(rate)
            every = max(1, round(duration / rate / SAMPLES))
            steps = round(duration / rate / every) * every
            models = {"gradient": flows.GradientFlow(method)}
            with progress_bar(title=f"h = {rate}: ") as show:
                run = comparisons.compare(
                    method, models, problem, steps=steps, every=every, observe=observe, progress=show
                )
            if run.interrupted:
                raise KeyboardInterrupt
            run.save(path)
    return paths


def load(path: Path) -> Comparison:
    """One of the comparisons of `compute`."""
    return comparisons.load(path)


def judge(runs: list[Comparison]) -> list[Claim]:
    """Three claims: the plateau at 2/h, progressive sharpening beyond it along the flow, and when the paths part."""
    return [_plateau(runs), _flow_goes_on(runs), _parting(runs)]


def draw(runs: list[Comparison]) -> Figure:
    """Loss, sharpness with the thresholds 2/h, and distance to gradient flow, against time h n."""
    with plt.style.context(STYLE):
        figure, (loss, sharpness, distance) = plt.subplots(1, 3, figsize=(6.8, 2.4), layout="constrained")
        flow = runs[-1].flows["gradient"]
        sharpness.plot(flow.times, runs[-1].sharpness("gradient"), color="black", linewidth=0.9, label="gradient flow")
        loss.plot(flow.times, flow.observations["loss"], color="black", linewidth=0.9)
        for run, colour, dashes in zip(runs, COLOURS, DASHES, strict=False):
            _draw_run(run, colour, dashes, loss, sharpness, distance)
        loss.set(title="(a) training loss", ylabel=r"$L$", yscale="log")
        sharpness.set(title="(b) sharpness, thresholds $2/h$", ylabel=r"$\lambda_{\max}(\nabla^2 L)$")
        distance.set(title="(c) distance to gradient flow", ylabel=r"$|X(t_n) - x_n|$", yscale="log")
        for panel in (loss, sharpness, distance):
            panel.set_xlabel("time $t = h n$")
            panel.set_xlim(0, float(flow.times[-1]))
        handles, labels = sharpness.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


def _draw_run(run: Comparison, colour: str, dashes, loss, sharpness, distance) -> None:
    style = {"color": colour, "linestyle": dashes, "linewidth": 1.0}
    times, rate = run.discrete.times, run.method["learning_rate"]
    loss.plot(times, run.discrete.observations["loss"], **style)
    sharpness.plot(times, run.sharpness(), label=f"gradient descent, $h = {rate:.3g}$", **style)
    distance.plot(times[1:], run.divergence["gradient"].distance[1:], **style)
    if (first := run.first_sample_above()) is not None:
        sharpness.axhline(run.threshold or np.nan, color=colour, linewidth=0.6, linestyle=":")
        for panel in (sharpness, distance):
            panel.axvline(times[first], color=colour, linewidth=0.6, alpha=0.5)


def _plateau(runs: list[Comparison]) -> Claim:
    ratios = []
    for run in runs:
        sharpness, threshold = run.sharpness(), run.threshold
        if sharpness is not None and threshold is not None and run.first_sample_above() is not None:
            ratios.append(float(np.mean(sharpness[-len(sharpness) // 3 :]) / threshold))
    return Claim(
        statement="the sharpness rises until it reaches 2/h and then hovers just above, or around, that value",
        source=f"{PAPER}, section 3.2",
        quantity="mean sharpness over the last third of the run, times h/2; spread over learning rates",
        predicted=(0.95, 1.10),
        because="the paper's curves stay within 1.0 to 1.05; 5 % more either way for a network a hundred times smaller",
        measured=float(np.mean(ratios)) if ratios else np.nan,
        uncertainty=float(np.ptp(ratios) / 2) if ratios else 0.0,
    )


def _flow_goes_on(runs: list[Comparison]) -> Claim:
    largest = max(runs, key=lambda run: run.method["learning_rate"])
    sharpness, threshold = largest.sharpness("gradient"), largest.threshold
    measured = np.nan if sharpness is None or threshold is None else float(sharpness[-1] / threshold)
    return Claim(
        statement="along gradient flow the sharpness goes on rising, past the 2/h at which gradient descent stops",
        source=f"{PAPER}, section 3.1",
        quantity="final sharpness of gradient flow, times h/2 for the largest h",
        predicted=(1.10, np.inf),
        because="1.10 is where the plateau of gradient descent ends by the first claim",
        measured=measured,
    )


def _parting(runs: list[Comparison]) -> Claim:
    *crossing, control = runs
    ratios = [_growth(run, control, first) for run in crossing if (first := run.first_sample_above())]
    return Claim(
        statement="gradient descent follows gradient flow until the sharpness reaches 2/h, and then leaves it",
        source=f"{PAPER}, section 3.2 and the appendix on gradient flow",
        quantity="growth of the distance to gradient flow from the crossing on, over that of the control; least over h",
        predicted=(2.0, np.inf),
        because="two discretization errors stay in proportion, ratio 1; growing twice as much is a departure",
        measured=float(np.min(ratios)) if ratios else np.nan,
    )


def _growth(run: Comparison, control: Comparison, first: int) -> float:
    """Distance at the end over distance at the crossing, divided by the same for the control at the same times.

    NaN where a flow stopped early.
    """
    if not (run.flows["gradient"].completed and control.flows["gradient"].completed):
        return np.nan
    times, distance = run.discrete.times, run.divergence["gradient"].distance
    expected = np.interp(times, control.discrete.times, control.divergence["gradient"].distance)
    return float(distance[-1] / distance[first] / (expected[-1] / expected[first]))
