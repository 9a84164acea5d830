"""Cohen, Kaur, Li, Kolter and Talwalkar 2021, "Gradient descent on neural networks typically occurs at the edge of
stability": the thresholds of heavy ball and of Nesterov's method.

The paper derives that on a quadratic heavy ball diverges exactly where the sharpness exceeds (2 + 2b)/h, Nesterov's
method where it exceeds (2 + 2b)/((1 + 2b) h), and shows that on CIFAR-10 the sharpness rises to these values.

Here both run on quadratics 1 % below and 1 % above, and train the MLP 64-32-32-10 with tanh on 500 of scikit-learn's
digits, square loss, at two momenta each.

The paper reports Nesterov's look-ahead points, here it is the x of v <- b v - h grad L(x + b v), x <- x + v: the same
run in other coordinates.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray
from matplotlib.figure import Figure

import discrete
import landscapes
from comparisons.plot import COLOURS, DASHES, STYLE

from .claim import Claim
from .edge_runs import PAPER, edge_run, plateau, values
from .stored import load as load, stored

KINDS: dict[str, Callable[[float, float], discrete.MomentumMethod]] = {
    "heavy ball": discrete.HeavyBall,
    "Nesterov": discrete.Nesterov,
}
# h times the threshold.
EDGES: dict[str, Callable[[float], float]] = {
    "heavy ball": lambda b: 2 + 2 * b,
    "Nesterov": lambda b: (2 + 2 * b) / (1 + 2 * b),
}
WRITTEN = {"heavy ball": "(2 + 2b)/h", "Nesterov": "(2 + 2b)/((1 + 2b) h)"}
MOMENTA, SHARES = (0.0, 0.3, 0.5, 0.9, 0.99), (0.99, 1.01)
SPECTRUM = np.linspace(0.1, 1.0, 20)
QUADRATIC_STEPS, QUADRATIC_EVERY = 3000, 10
# Kind, learning rate, momentum.
CASES = (
    ("heavy ball", 0.19, 0.5),
    ("heavy ball", 0.26, 0.9),
    ("heavy ball", 0.20, 0.9),
    ("Nesterov", 0.090, 0.5),
    ("Nesterov", 0.095, 0.9),
)
STEPS, QUICK_STEPS, EVERY = 6000, 1500, 10


def compute(folder: Path, *, quick: bool) -> list[Path]:
    """One netCDF file of the quadratics, and one of each run on the digits."""
    name, steps = "cohen_2021_momentum", QUICK_STEPS if quick else STEPS
    paths = stored(folder, f"{name}_quadratics", quick=quick, computed=_quadratics)
    for kind, rate, momentum in CASES:
        case = f"{name}_{kind.replace(' ', '_').lower()}_b{momentum:g}_h{rate:g}"
        paths += stored(folder, case, quick=quick, computed=lambda: _digits(kind, rate, momentum, steps))
    return paths


def _quadratics() -> xarray.Dataset:
    apart = [[[_distances(kind, b, share) for share in SHARES] for b in MOMENTA] for kind in KINDS]
    dims = ("kind", "momentum", "share", "step")
    return xarray.Dataset(
        {"distance": (dims, apart, {"long_name": "|x_n - m| / |x_0 - m|, up to where it is past 1e6"})},
        coords={
            "kind": list(KINDS),
            "momentum": list(MOMENTA),
            "share": ("share", list(SHARES), {"long_name": "sharpness over threshold"}),
            "step": np.arange(0, QUADRATIC_STEPS + 1, QUADRATIC_EVERY),
        },
    )


def _distances(kind: str, momentum: float, share: float) -> np.ndarray:
    """Of a run on a quadratic whose largest eigenvalue is 1; NaN after it has diverged."""
    problem = landscapes.quadratic(eigenvalues=SPECTRUM)
    run = discrete.run(
        KINDS[kind](share * EDGES[kind](momentum), momentum),
        problem.loss,
        problem.params,
        steps=QUADRATIC_STEPS,
        every=QUADRATIC_EVERY,
        observe={"distance": landscapes.parameter_norm},
    )
    distance = run.observations["distance"] / run.observations["distance"][0]
    return np.pad(distance, (0, QUADRATIC_STEPS // QUADRATIC_EVERY + 1 - len(distance)), constant_values=np.nan)


def _digits(kind: str, rate: float, momentum: float, steps: int) -> xarray.Dataset:
    method, title = KINDS[kind](rate, momentum), f"{kind}, b = {momentum}: "
    return edge_run(method, {}, landscapes.digits_mlp(), steps=steps, every=EVERY, title=title).assign_attrs(
        kind=kind, momentum=momentum, threshold=EDGES[kind](momentum) / rate
    )


def judge(data: list[xarray.Dataset]) -> list[Claim]:
    """Both sides of the thresholds on quadratics, and the plateau of each method on the digits."""
    quadratics, *runs = data
    return [_converge(quadratics), _diverge(quadratics), *(_plateau(runs, kind) for kind in KINDS)]


def _ends(quadratics: xarray.Dataset, share: float) -> np.ndarray:
    """The last distance of each run."""
    rows = quadratics.distance.sel(share=share).values.reshape(-1, quadratics.sizes["step"])
    return np.array([row[np.isfinite(row)][-1] for row in rows])


def _converge(quadratics: xarray.Dataset) -> Claim:
    ends = _ends(quadratics, SHARES[0])
    return Claim(
        statement="on a quadratic heavy ball converges below (2 + 2b)/h, Nesterov below (2 + 2b)/((1 + 2b) h)",
        source=f"{PAPER}, appendix on momentum",
        quantity=f"largest |x_n|/|x_0| after {QUADRATIC_STEPS} steps 1 % below; {ends.size} runs, b = 0 to 0.99",
        predicted=(0.0, 1e-3),
        because="1 % below, the largest root is at most 0.995: 0.995^3000 = 3e-7; a thousand times that",
        measured=float(ends.max()),
    )


def _diverge(quadratics: xarray.Dataset) -> Claim:
    ends = _ends(quadratics, SHARES[1])
    return Claim(
        statement="on a quadratic, heavy ball and Nesterov diverge above these thresholds",
        source=f"{PAPER}, appendix on momentum",
        quantity=f"least |x_n|/|x_0| 1 % above, after {QUADRATIC_STEPS} steps or where the run is past 1e6",
        predicted=(1e3, np.inf),
        because="1 % above, the largest root is at least 1.02, which is past 1e6 after 700 steps",
        measured=float(ends.min()),
    )


def _plateau(runs: list[xarray.Dataset], kind: str) -> Claim:
    chosen = [run for run in runs if run.attrs["kind"] == kind]
    return plateau(
        chosen,
        because="as for gradient descent: the paper's curves stay near the threshold; 5 to 10 % for a small network",
        statement=f"with {kind} the sharpness rises to {WRITTEN[kind]} and then hovers around it",
        source=f"{PAPER}, appendix on momentum",
        quantity="mean sharpness over the last third of the run, over the threshold; spread over momenta",
    )


def draw(data: list[xarray.Dataset]) -> Figure:
    """Above the quadratics, 1 % on either side; below the sharpness on the digits, with the thresholds."""
    quadratics, *runs = data
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(2, 2, figsize=(6.8, 4.6), layout="constrained")
        for (above, below), kind, letters in zip(axes.T, KINDS, ("ac", "bd"), strict=True):
            _draw_quadratics(above, quadratics, kind)
            _draw_digits(below, [run for run in runs if run.attrs["kind"] == kind], kind)
            above.set_title(f"({letters[0]}) {kind} on quadratics, 1 % off")
            below.set_title(f"({letters[1]}) {kind} on digits")
    return figure


def _draw_quadratics(panel: Any, quadratics: xarray.Dataset, kind: str) -> None:
    for momentum, colour in zip(MOMENTA, COLOURS, strict=False):
        for share, dashes in zip(SHARES, DASHES, strict=False):
            row = quadratics.distance.sel(kind=kind, momentum=momentum, share=share)
            label = f"$b = {momentum:g}$" if share < 1 else None
            panel.semilogy(quadratics.step, row, color=colour, linestyle=dashes, linewidth=0.9, label=label)
    panel.set(xlabel="step $n$", ylabel=r"$|x_n - m| / |x_0 - m|$", xlim=(0, 1000), ylim=(1e-8, 1e8))
    if kind == "Nesterov":
        title = "dashed: 1 % above"
        panel.legend(fontsize="x-small", loc="center right", title=title, title_fontsize="x-small")


def _draw_digits(panel: Any, runs: list[xarray.Dataset], kind: str) -> None:
    for run, colour, dashes in zip(runs, COLOURS, DASHES, strict=False):
        label = f"$b = {run.attrs['momentum']:g}$, $h = {run.attrs['learning_rate']:g}$"
        panel.plot(run.step, values(run, "sharpness"), color=colour, linestyle=dashes, linewidth=0.9, label=label)
        panel.axhline(run.attrs["threshold"], color=colour, linewidth=0.7, linestyle=":")
    panel.set(xlabel="step $n$", ylabel=r"$\lambda_{\max}(\nabla^2 L)$", xlim=(0, int(runs[0].step[-1])))
    panel.legend(fontsize="x-small", title=f"dotted: ${WRITTEN[kind]}$", title_fontsize="x-small")
