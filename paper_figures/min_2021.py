"""Min, Tarmoun, Vidal and Mallada 2021, "On the explicit role of initialization on the convergence and implicit bias of
overparametrized linear networks": the imbalance of the layers sets how fast and where a linear network converges.

The paper trains Y = X U V' by gradient flow of 1/2 |Y - X U V'|^2 with h hidden units. The imbalance U'U - V'V never
changes; its spectrum bounds the rate at which the loss falls; a start in a certain invariant set ends at the solution of
least norm, and a wide network with random weights starts near that set.

Shown here: the imbalance along gradient flow, gradient descent and the modified flow of order 2; the bound on the loss,
with its constant derived anew, from balanced and unbalanced starts; and the distance of the end to the solution of
least norm for widths up to 65,536.

Not as in the paper: the data are 3 examples of 6 inputs with 2 outputs; wide networks are run as networks of 8 hidden
units that see the same (their hidden units rotated by a QR factorization), which changes nothing in exact arithmetic;
that gradient descent breaks the conservation, and how, is added.

The rate. Let X = P S Q' with rank r and smallest singular value s, U_1 = Q'U, m the number of outputs, and E what is
left of the error in the range of X. With F = S E the loss falls at the rate |F V|^2 + |F'U_1|^2, which is at least
(lambda_m(V V') + lambda_r(U_1 U_1')) s^2 |E|^2. Since U_1'U_1 = Lambda + V'V for Lambda = U_1'U_1 - V'V, Weyl's
inequality gives lambda_r(U_1 U_1') >= lambda_r(Lambda), the r-th largest, and likewise lambda_m(V V') >= lambda_m(-Lambda):
L(t) <= e^(-c t) L(0) with c = 2 s^2 (max(0, lambda_r(Lambda)) + max(0, lambda_m(-Lambda))).
"""

from pathlib import Path
from typing import Any

import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import xarray
from jaxtyping import Array
from matplotlib.figure import Figure

import comparisons
import discrete
import flows
import landscapes
from comparisons.order import TIGHT, dopri8, regression
from comparisons.plot import COLOURS, DASHES, STYLE
from landscapes import DataLoss

from .claim import Claim
from .stored import load as load, stored

PAPER = "Min, Tarmoun, Vidal and Mallada 2021"
SINGULAR_VALUES = (1.4, 1.0, 0.7)
EXAMPLES, INPUTS, OUTPUTS = 3, 6, 2
HIDDEN = INPUTS + OUTPUTS
DRIFT_STEPS, QUICK_DRIFT_STEPS = (60, 80, 120, 160, 240), (60, 80, 120, 160)
DRIFT_DURATION, DRIFT_SAMPLES, DRIFT_SCALE = 2.0, 20, 0.5
IMBALANCES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
RANDOM_SCALES, RANDOM_SEEDS = (0.2, 0.4, 0.8, 1.6), 6
FALL, DECAY_DURATION, DECAY_SAMPLES = 1e-8, 40.0, 800
WIDTHS, QUICK_WIDTHS = tuple(2**k for k in range(4, 17)), tuple(2**k for k in range(6, 15, 2))
POWERS, SEEDS, QUICK_SEEDS, END = (0.5, 0.375), 40, 16, 40.0


def compute(folder: Path, *, quick: bool) -> list[Path]:
    """One netCDF file: imbalances, losses with their bounds, and ends of networks of many widths."""
    return stored(folder, "min_2021", quick=quick, computed=lambda: _computed(quick))


def _computed(quick: bool) -> xarray.Dataset:
    found = _drift(QUICK_DRIFT_STEPS if quick else DRIFT_STEPS) | _decays()
    widths, seeds = (QUICK_WIDTHS, QUICK_SEEDS) if quick else (WIDTHS, SEEDS)
    found |= _ends(widths, seeds)
    return xarray.Dataset(found, coords={"width": list(widths), "power": list(POWERS)})


def examples() -> tuple[np.ndarray, np.ndarray]:
    """X (examples, inputs) with the singular values above and Y (examples, outputs)."""
    random = np.random.default_rng(0)
    left, _, right = np.linalg.svd(random.standard_normal((EXAMPLES, INPUTS)), full_matrices=False)
    return left * SINGULAR_VALUES @ right, random.standard_normal((EXAMPLES, OUTPUTS))


def least_norm() -> np.ndarray:
    """The product U V' of least norm that fits the data."""
    inputs, targets = examples()
    return np.linalg.pinv(inputs) @ targets


def _loss() -> DataLoss:
    """1/2 |Y - X U V'|^2 of the weights [U, V']: the mean over examples of sqrt(n) times the data."""
    inputs, targets = (jnp.asarray(np.sqrt(EXAMPLES) * rows) for rows in examples())
    return DataLoss(landscapes.product_model, landscapes.half_squared_error, inputs, targets)


def _drift(many_steps: tuple[int, ...]) -> dict[str, Any]:
    """The imbalance along gradient descent and two flows, and some iterates."""
    loss, random = _loss(), np.random.default_rng(1)
    start = [jnp.asarray(DRIFT_SCALE * random.standard_normal(s)) for s in ((INPUTS, HIDDEN), (HIDDEN, OUTPUTS))]
    observe = {"imbalance": lambda weights: landscapes.imbalance(weights)[0]}
    paths = []
    for steps in many_steps:
        method = discrete.GradientDescent(DRIFT_DURATION / steps)
        models = {"gradient": flows.GradientFlow(method), "modified": flows.ModifiedFlow(method, order=2)}
        run = comparisons.compare(
            method,
            models,
            loss,
            start,
            steps=steps,
            every=steps // DRIFT_SAMPLES,
            observe=observe,
            integrator=dopri8(TIGHT),
        )
        paths.append([side.observations["imbalance"] for side in (run.discrete, *run.flows.values())])
    iterates = discrete.run(method, loss, start, steps=DRIFT_SAMPLES, keep_params=True).params
    return {
        "rate": ("steps", DRIFT_DURATION / np.array(many_steps)),
        "imbalance": (("steps", "side", "sample", "unit", "other_unit"), paths),
        "first_layer": (("iterate", "input", "unit"), np.asarray(iterates[0])),
        "second_layer": (("iterate", "unit", "output"), np.asarray(iterates[1])),
    }


def bound(first: np.ndarray, second: np.ndarray) -> float:
    """c of L(t) <= e^(-c t) L(0), for weights U and V'."""
    _, values, right = np.linalg.svd(examples()[0], full_matrices=False)
    seen = right @ first
    spectrum = np.linalg.eigvalsh(seen.T @ seen - second @ second.T)
    rank, outputs = len(values), second.shape[1]
    return float(2 * values[-1] ** 2 * (max(0.0, spectrum[-rank]) + max(0.0, -spectrum[outputs - 1])))


def _decays() -> dict[str, Any]:
    """Losses of gradient flow from orthogonal starts of chosen imbalance, and from random ones; their bounds; their ends."""
    random = np.random.default_rng(2)
    starts = []
    for size in IMBALANCES:
        # Orthogonal rows: U_1 U_1' = V V' = size, and what is not seen of U is orthogonal to both.
        rows = np.sqrt(size) * np.linalg.qr(random.standard_normal((HIDDEN, HIDDEN)))[0]
        starts.append((rows[:INPUTS], rows[INPUTS:].T))
    for scale in RANDOM_SCALES:
        for _ in range(RANDOM_SEEDS):
            rows = scale * random.standard_normal((HIDDEN, HIDDEN))
            starts.append((rows[:INPUTS], rows[INPUTS:].T))
    ends, losses = _solved(starts, DECAY_DURATION, DECAY_SAMPLES)
    return {
        "decay_time": ("decay_sample", np.linspace(0, DECAY_DURATION, DECAY_SAMPLES + 1)),
        "loss": (("decay_sample", "decay"), losses),
        "bound": ("decay", [bound(*start) for start in starts]),
        "end": (("decay", "input", "output"), ends),
    }


def _solved(starts: list[tuple[np.ndarray, np.ndarray]], duration: float, samples: int) -> tuple[Array, np.ndarray]:
    """The products U V' at the end and the losses on the way of networks that gradient flow trains side by side."""
    one = _loss()
    loss = landscapes.SideBySide(one)
    params = [jnp.asarray(np.stack(layer)) for layer in zip(*starts, strict=True)]
    flow = flows.GradientFlow(discrete.GradientDescent(duration / samples))
    observe = {"loss": loss.each(one)}
    run = flows.solve(flow, loss, params, steps=samples, observe=observe, integrator=dopri8(TIGHT))
    first, second = run.final_params
    return np.asarray(first @ second), run.observations["loss"]


def narrowed(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same network with as many hidden units as inputs and outputs together: its hidden units rotated, zeros cut off.

    Gradient flow commutes with rotations of the hidden units, and a unit without weights keeps none.
    """
    rows = np.concatenate([first, second.T])
    triangle = np.linalg.qr(rows.T, mode="r").T
    return triangle[: len(first)], triangle[len(first) :].T


def _ends(widths: tuple[int, ...], seeds: int) -> dict[str, Any]:
    """|U V' - the solution of least norm| at the end, in the operator norm, from entries N(0, width^(-2 power))."""
    random = np.random.default_rng(3)
    starts = []
    for power in POWERS:
        for width in widths:
            for _ in range(seeds):
                rows = width**-power * random.standard_normal((HIDDEN, width))
                starts.append(narrowed(rows[:INPUTS], rows[INPUTS:].T))
    ends, losses = _solved(starts, END, 1)
    distances = np.linalg.norm(ends - least_norm(), ord=2, axis=(1, 2))
    shape = (len(POWERS), len(widths), seeds)
    return {
        "distance": (("power", "width", "seed"), distances.reshape(shape)),
        "last_loss": (("power", "width", "seed"), losses[-1].reshape(shape)),
    }


def judge(data: list[xarray.Dataset]) -> list[Claim]:
    """The imbalance along three dynamics, the rate of the loss, and where networks end."""
    (found,) = data
    return [*_conservation(found), _step(found), *_rates(found), _invariant(found), *_widths(found)]


def drifts(found: xarray.Dataset) -> dict[str, np.ndarray]:
    """Largest distance over its size at the start, for each learning rate: of the imbalance from where it was."""
    descent, gradient, modified = (found.imbalance.values[:, side] for side in range(3))
    size = np.linalg.norm(descent[0, 0])

    def largest(gap: np.ndarray) -> np.ndarray:
        return np.max(np.linalg.norm(gap, axis=(2, 3)), axis=1) / size

    return {
        "flow": largest(gradient - gradient[:, :1]),
        "descent": largest(descent - descent[:, :1]),
        "modified": largest(descent - modified),
    }


def _conservation(found: xarray.Dataset) -> list[Claim]:
    gaps, rates = drifts(found), found.rate.values
    orders = {name: regression(rates, gaps[name]) for name in ("descent", "modified")}
    return [
        Claim(
            statement="gradient flow conserves the imbalance U'U - V'V",
            source=f"{PAPER}, on the imbalance of the weights",
            quantity=f"largest change up to time {DRIFT_DURATION:g}, over its size",
            predicted=(0.0, 1e-10),
            because="the relative tolerance of the solver, 1e-12, over some tens of its steps",
            measured=float(gaps["flow"].max()),
        ),
        *(
            Claim(
                statement=statement,
                source=source,
                quantity=f"slope on log h of log {what}, up to time {DRIFT_DURATION:g}",
                predicted=(order - 0.15, order + 0.15),
                because="separates neighbouring orders three times over",
                measured=orders[name][0],
                uncertainty=orders[name][1],
            )
            for order, name, what, statement, source in (
                (1, "descent", "change", "at a fixed time gradient descent has changed it by O(h)", "derived here"),
                (
                    2,
                    "modified",
                    "distance of both imbalances",
                    "the gradient flow of L + (h/4) |grad L|^2 changes it as gradient descent does, to O(h^2)",
                    "derived here, from Barrett and Dherin 2021",
                ),
            )
        ),
    ]


def _step(found: xarray.Dataset) -> Claim:
    first, second = found.first_layer.values, np.swapaxes(found.second_layer.values, 1, 2)
    square = lambda layer: np.swapaxes(layer, 1, 2) @ layer  # noqa: E731
    imbalance = square(first) - square(second)
    added = square(np.diff(first, axis=0)) - square(np.diff(second, axis=0))
    return Claim(
        statement="a step of gradient descent changes it by h^2 (G_U'G_U - G_V'G_V) and by nothing else",
        source="derived here: the terms of first order in h are those that cancel in the paper's proof",
        quantity=f"largest difference in {len(added)} steps, over the size of the imbalance; steps change it by "
        f"{np.linalg.norm(added[0]) / np.linalg.norm(imbalance[0]):.0e} of that",
        predicted=(0.0, 1e-14),
        because="rounding, 2e-16, in sums of 8 products",
        measured=float(np.max(np.abs(np.diff(imbalance, axis=0) - added)) / np.linalg.norm(imbalance[0])),
    )


def fallen(found: xarray.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """For every start: the time in which the loss falls to FALL of its start, and the rate of the last third of that."""
    time = found.decay_time.values
    logs = np.log(found.loss.values / found.loss.values[0])
    at = lambda level: np.array(
        [np.interp(-level, -row[: np.argmin(row) + 1], time[: np.argmin(row) + 1]) for row in logs.T]
    )
    whole, most = at(np.log(FALL)), at(np.log(FALL) * 2 / 3)
    return whole, -np.log(FALL) / 3 / (whole - most)


def _rates(found: xarray.Dataset) -> list[Claim]:
    relative = found.loss.values[1:] / found.loss.values[0]
    rates = -np.log(relative) / found.decay_time.values[1:, None] / found.bound.values
    times, late = fallen(found)
    orthogonal = times[: len(IMBALANCES)]
    largest = len(IMBALANCES) - 1
    return [
        Claim(
            statement="L(t) <= e^(-c t) L(0), c = 2 s^2 (lambda_r(Lambda)_+ + lambda_m(-Lambda)_+)",
            source=f"{PAPER}, theorem on convergence; constant derived here",
            quantity=f"least log(L(0)/L(t)) / (c t) of {rates.shape[1]} starts, until L is {FALL:g}^2 of its start",
            predicted=(1.0, np.inf),
            because="a bound is kept",
            measured=float(rates[relative > FALL**2].min()),
        ),
        Claim(
            statement="the rate c is attained where the imbalance is large",
            source="derived here",
            quantity=f"rate while the loss falls from {FALL ** (2 / 3):.0e} to {FALL:.0e}, over c; "
            f"orthogonal start of imbalance {IMBALANCES[-1]:g}",
            predicted=(1.0, 1.05),
            because="conserved imbalance k keeps the eigenvalues within k (1 + O(|U V'|^2/k^2)), here 1 %, several times",
            measured=float(late[largest] / found.bound.values[largest]),
        ),
        Claim(
            statement="the more imbalance, the faster the convergence",
            source=f"{PAPER}, abstract",
            quantity=f"largest ratio of the times in which the loss falls to {FALL:.0e}, when the imbalance doubles; "
            f"{IMBALANCES[0]:g} to {IMBALANCES[-1]:g}, orthogonal starts of the same loss",
            predicted=(0.0, 1.0),
            because="faster is a ratio below 1; the bound alone allows 1/2 and more",
            measured=float(np.max(orthogonal[1:] / orthogonal[:-1])),
        ),
    ]


def _invariant(found: xarray.Dataset) -> Claim:
    ends = found.end.values[: len(IMBALANCES)]
    return Claim(
        statement="where what the data do not see of U is orthogonal to the rest, it ends at the solution of least norm",
        source=f"{PAPER}, on the invariant set",
        quantity=f"largest distance of {len(ends)} ends, over the norm of that solution",
        predicted=(0.0, 1e-9),
        because="a hundred times the solver's tolerance and the error left at the last time",
        measured=float(
            np.max(np.linalg.norm(ends - least_norm(), ord=2, axis=(1, 2))) / np.linalg.norm(least_norm(), 2)
        ),
    )


def _widths(found: xarray.Dataset) -> list[Claim]:
    claims = []
    for power in POWERS:
        distances = np.exp(np.log(found.distance.sel(power=power)).mean("seed"))
        slope, width = regression(found.width.values, distances.values)
        exponent = 0.5 - 2 * power
        claims.append(
            Claim(
                statement=f"with entries N(0, h^(-{2 * power:g})) the end is within O(h^({exponent:g})) of least norm",
                source=f"{PAPER}, theorem on the implicit bias, " + ("1/h" if power == 0.5 else "other scales"),
                quantity=f"slope of log distance on log h, h = {found.width.values[0]} to {found.width.values[-1]}, "
                f"geometric mean of {found.sizes['seed']} seeds",
                predicted=(exponent - 0.15, exponent + 0.15) if power == 0.5 else (exponent - 0.1, exponent + 0.1),
                because="separates this power from the other scale's by its half and more",
                measured=slope,
                uncertainty=width,
            )
        )
    return claims


def draw(data: list[xarray.Dataset]) -> Figure:
    """Imbalance, losses with their bounds, rates against bounds, and distances against width."""
    (found,) = data
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(2, 2, figsize=(6.8, 5.0), layout="constrained")
        _draw_drift(axes[0, 0], found)
        _draw_losses(axes[0, 1], found)
        _draw_rates(axes[1, 0], found)
        _draw_widths(axes[1, 1], found)
    return figure


def _draw_drift(panel: Any, found: xarray.Dataset) -> None:
    rates, gaps = found.rate.values, drifts(found)
    names = {
        "descent": "gradient descent, from its start",
        "modified": "gradient descent, from modified flow",
        "flow": "gradient flow, from its start",
    }
    for (name, label), colour, dashes in zip(names.items(), COLOURS, DASHES, strict=False):
        panel.loglog(rates, gaps[name], "o", markersize=3, color=colour, linestyle=dashes, label=label)
    panel.set(
        title="(a) drift of the imbalance", xlabel="learning rate $h$", ylabel=r"$|\Delta\Lambda| / |\Lambda(0)|$"
    )
    panel.set_xticks(rates, [f"{h:.3f}" for h in rates])
    panel.minorticks_off()
    panel.set_ylim(1e-16, 1e2)
    panel.legend(fontsize="xx-small", loc="upper left")


def _draw_losses(panel: Any, found: xarray.Dataset) -> None:
    time = found.decay_time.values
    shown = [1.0, 4.0, 16.0]
    for size, colour, dashes in zip(shown, COLOURS, DASHES, strict=False):
        case = IMBALANCES.index(size)
        loss = found.loss.values[:, case] / found.loss.values[0, case]
        until = np.argmax(loss < 1e-12) + 1
        panel.semilogy(time[:until], loss[:until], color=colour, linestyle=dashes, label=f"$\\Lambda$: $\\pm${size:g}")
        bound = np.exp(-found.bound.values[case] * time)
        panel.semilogy(time, bound, color=colour, linewidth=0.7, alpha=0.6, label="$e^{-ct}$" if size == 1.0 else None)
    panel.set(title="(b) orthogonal starts", xlabel="time $t$", ylabel="$L(t) / L(0)$", xlim=(0, 9), ylim=(1e-10, 2))
    panel.legend(fontsize="xx-small")


def _draw_rates(panel: Any, found: xarray.Dataset) -> None:
    times, _ = fallen(found)
    rates, bounds, cut = -np.log(FALL) / times, found.bound.values, len(IMBALANCES)
    panel.loglog(bounds[:cut], rates[:cut], "o-", markersize=3, color=COLOURS[0], label="orthogonal starts")
    panel.loglog(bounds[cut:], rates[cut:], "s", markersize=2.5, color=COLOURS[1], label="random starts")
    ends = np.array([bounds.min(), bounds.max()])
    panel.loglog(ends, ends, color="black", linewidth=0.8, linestyle=DASHES[1], label="bound")
    panel.set(title=f"(c) mean rate of the loss down to {FALL:g}", xlabel="bound $c$", ylabel="rate")
    panel.legend(fontsize="xx-small")


def _draw_widths(panel: Any, found: xarray.Dataset) -> None:
    for power, colour, dashes in zip(POWERS, COLOURS, DASHES, strict=False):
        rows = found.distance.sel(power=power).values
        low, middle, high = np.quantile(rows, (0.1, 0.5, 0.9), axis=1)
        exponent = 0.5 - 2 * power
        panel.fill_between(found.width, low, high, color=colour, alpha=0.15, linewidth=0)
        panel.loglog(found.width, middle, "o", markersize=3, color=colour, linestyle=dashes, label=f"${2 * power:g}$")
        line = middle[0] * (found.width.values / found.width.values[0]) ** exponent
        panel.loglog(found.width, line, color="black", linewidth=0.7, label=f"$h^{{{exponent:g}}}$")
    panel.set(title="(d) random starts", xlabel="width $h$", ylabel=r"$|U V' - \hat\Theta|$ at the end")
    panel.legend(title="entries $N(0, h^{-p})$, $p$", fontsize="xx-small", title_fontsize="xx-small")
