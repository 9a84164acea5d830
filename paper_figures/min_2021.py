"""Min, Tarmoun, Vidal and Mallada 2021, "On the explicit role of initialization on the convergence and implicit bias of
overparametrized linear networks": the imbalance of the layers sets how fast and where a linear network converges.

The paper trains Y = X U V' by gradient flow of 1/2 |Y - X U V'|^2. The imbalance U'U - V'V never changes; its spectrum
bounds the rate at which the loss falls; a start in a certain invariant set ends at the solution of least norm, and a
wide network with random weights starts near that set.

Shown here: the imbalance along gradient flow, gradient descent and its modified flow of order 2; the bound on the loss,
its constant derived anew (`landscapes.imbalance_rate`), from orthogonal and random starts; and the distance of the end
to the solution of least norm for widths up to 65,536.

Not as in the paper: the data are 3 examples of 6 inputs with 2 outputs; a wide network is run as one of 8 hidden units
that has the same product all along (`landscapes.narrowed`). What gradient descent does to the imbalance is ours.
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
FALL, DURATION, SAMPLES = 1e-8, 40.0, 800
WIDTHS, QUICK_WIDTHS = tuple(2**k for k in range(6, 17)), tuple(2**k for k in range(6, 15, 2))
POWERS, SEEDS, QUICK_SEEDS = (1.0, 0.75), 30, 16


def compute(folder: Path, *, quick: bool) -> list[Path]:
    """One netCDF file: imbalances, losses with their bounds, and ends of networks of many widths."""
    return stored(folder, "min_2021", quick=quick, computed=lambda: _computed(quick))


def _computed(quick: bool) -> xarray.Dataset:
    widths, seeds = (QUICK_WIDTHS, QUICK_SEEDS) if quick else (WIDTHS, SEEDS)
    found = _drift(QUICK_DRIFT_STEPS if quick else DRIFT_STEPS) | _flows(widths, seeds)
    return xarray.Dataset(found, coords={"width": list(widths), "power": list(POWERS)})


def examples() -> tuple[np.ndarray, np.ndarray]:
    """X (examples, inputs) with the singular values above and Y (examples, outputs)."""
    random = np.random.default_rng(0)
    left, _, right = np.linalg.svd(random.standard_normal((EXAMPLES, INPUTS)), full_matrices=False)
    return left * SINGULAR_VALUES @ right, random.standard_normal((EXAMPLES, OUTPUTS))


def _loss() -> DataLoss:
    """1/2 |Y - X U V'|^2 of the weights [U, V']: the mean over examples of sqrt(n) times the data."""
    inputs, targets = (jnp.asarray(np.sqrt(EXAMPLES) * rows) for rows in examples())
    return DataLoss(landscapes.product_model, landscapes.half_squared_error, inputs, targets)


def _network(rows: np.ndarray) -> list[Array]:
    """[U, V'] from the rows of U and of V, hidden units along the second axis."""
    return [jnp.asarray(rows[:INPUTS]), jnp.asarray(rows[INPUTS:].T)]


def _drift(many_steps: tuple[int, ...]) -> dict[str, Any]:
    """The imbalance along gradient descent and its modified flow of order 2, and some iterates."""
    loss, start = _loss(), _network(DRIFT_SCALE * np.random.default_rng(1).standard_normal((HIDDEN, HIDDEN)))
    observe = {"imbalance": lambda weights: landscapes.imbalance(weights)[0]}
    methods = [discrete.GradientDescent(DRIFT_DURATION / steps) for steps in many_steps]
    paths = []
    for method, steps in zip(methods, many_steps, strict=True):
        models = {"modified": flows.ModifiedFlow(method, order=2)}
        every, solver = steps // DRIFT_SAMPLES, dopri8(TIGHT)
        run = comparisons.compare(
            method, models, loss, start, steps=steps, every=every, observe=observe, integrator=solver
        )
        paths.append([side.observations["imbalance"] for side in (run.discrete, run.flows["modified"])])
    iterates: Any = discrete.run(methods[0], loss, start, steps=DRIFT_SAMPLES, keep_params=True).params
    return {
        "rate": ("steps", DRIFT_DURATION / np.array(many_steps)),
        "imbalance": (("steps", "side", "sample", "unit", "other_unit"), paths),
        "first_layer": (("iterate", "input", "unit"), np.asarray(iterates[0])),
        "second_layer": (("iterate", "unit", "output"), np.asarray(iterates[1])),
    }


def _flows(widths: tuple[int, ...], seeds: int) -> dict[str, Any]:
    """Gradient flow from orthogonal starts of chosen imbalance, random ones, and wide ones; one run moves all."""
    random = np.random.default_rng(2)
    # Orthogonal rows: U_1 U_1' = V V' = size, and what the data do not see of U is orthogonal to both.
    rows = [np.sqrt(size) * np.linalg.qr(random.standard_normal((HIDDEN, HIDDEN)))[0] for size in IMBALANCES]
    rows += [s * random.standard_normal((HIDDEN, HIDDEN)) for s in RANDOM_SCALES for _ in range(RANDOM_SEEDS)]
    shown = [_network(row) for row in rows]
    wide = [
        landscapes.narrowed(_network(width ** (-power / 2) * random.standard_normal((HIDDEN, width))))
        for power in POWERS
        for width in widths
        for _ in range(seeds)
    ]
    starts = [jnp.stack(layers) for layers in zip(*shown, *wide, strict=True)]
    one, inputs = _loss(), jnp.asarray(examples()[0])
    loss = landscapes.SideBySide(one)
    before = loss.each(landscapes.imbalance)(starts)[0]

    def drift(networks: list[Array]) -> Array:
        gap = loss.each(landscapes.imbalance)(networks)[0] - before
        return jnp.sqrt(jnp.max(jnp.sum(gap**2, axis=(1, 2)) / jnp.sum(before**2, axis=(1, 2))))

    flow = flows.GradientFlow(discrete.GradientDescent(DURATION / SAMPLES))
    observe = {"loss": lambda networks: loss.each(one)(networks), "drift": drift}
    run = flows.solve(flow, loss, starts, steps=SAMPLES, observe=observe, integrator=dopri8(TIGHT))
    least_norm = np.linalg.pinv(examples()[0]) @ examples()[1]
    ends = np.asarray(run.final_params[0] @ run.final_params[1]) - least_norm
    distances = np.linalg.norm(ends, ord=2, axis=(1, 2)) / np.linalg.norm(least_norm, 2)
    return {
        "time": ("sample_of_flow", run.times),
        "drift": ("sample_of_flow", run.observations["drift"]),
        "loss": (("sample_of_flow", "shown"), run.observations["loss"][:, : len(shown)]),
        "bound": ("shown", [float(landscapes.imbalance_rate(inputs, network)) for network in shown]),
        "end": ("shown", distances[: len(shown)]),
        "distance": (("power", "width", "seed"), distances[len(shown) :].reshape(len(POWERS), len(widths), seeds)),
    }


def judge(data: list[xarray.Dataset]) -> list[Claim]:
    """The imbalance along three dynamics, the rate of the loss, and where networks end."""
    (found,) = data
    return [*_conservation(found), _step(found), *_rates(found), _invariant(found), *_widths(found)]


def drifts(found: xarray.Dataset) -> dict[int, np.ndarray]:
    """For each learning rate, over the size of the imbalance: 1, its change; 2, its distance to the modified flow's."""
    descent, modified = (found.imbalance.values[:, side] for side in (0, 1))
    gaps = {1: descent - descent[:, :1], 2: descent - modified}
    size = np.linalg.norm(descent[0, 0])
    return {order: np.max(np.linalg.norm(gap, axis=(2, 3)), axis=1) / size for order, gap in gaps.items()}


def _conservation(found: xarray.Dataset) -> list[Claim]:
    texts = {
        1: "gradient descent has changed it by O(h) at a fixed time",
        2: "the flow of L + (h/4) |grad L|^2 changes it as gradient descent does, to O(h^2)",
    }
    fits = {order: regression(found.rate.values, row) for order, row in drifts(found).items()}
    conserved = Claim(
        statement="gradient flow conserves the imbalance U'U - V'V",
        source=f"{PAPER}, on the imbalance",
        quantity=f"largest change up to time {DURATION:g} of all the networks, over its size",
        predicted=(0.0, 1e-9),
        because="the solver's relative tolerance, 1e-12, in each of up to a thousand steps",
        measured=float(found.drift.max()),
    )
    return [
        conserved,
        *(
            Claim(
                statement=text,
                source="derived here" + ", after Barrett and Dherin 2021" * (order == 2),
                quantity=f"slope of log {('change', 'distance')[order - 1]} on log h, up to time {DRIFT_DURATION:g}",
                predicted=(order - 0.15, order + 0.15),
                because="separates neighbouring orders three times over",
                measured=fits[order][0],
                uncertainty=fits[order][1],
            )
            for order, text in texts.items()
        ),
    ]


def _step(found: xarray.Dataset) -> Claim:
    def imbalances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return np.swapaxes(first, 1, 2) @ first - second @ np.swapaxes(second, 1, 2)

    layers = found.first_layer.values, found.second_layer.values
    before, added = imbalances(*layers), imbalances(*(np.diff(layer, axis=0) for layer in layers))
    size = np.linalg.norm(before[0])
    return Claim(
        statement="a step of gradient descent changes it by h^2 (G_U'G_U - G_V'G_V), and by nothing else",
        source="derived here: the terms of first order in h cancel as in gradient flow",
        quantity=f"largest difference in {len(added)} steps, over the size of the imbalance; the first step changes it "
        f"by {np.linalg.norm(added[0]) / size:.0e} of that",
        predicted=(0.0, 1e-14),
        because=f"rounding, 2e-16, in sums of {HIDDEN} products",
        measured=float(np.max(np.abs(np.diff(before, axis=0) - added)) / size),
    )


def fallen(found: xarray.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """For every start shown: the time until the loss is FALL of its first, and the rate over the last third of that."""
    logs = np.log(found.loss.values / found.loss.values[0])

    def when(level: float) -> np.ndarray:
        ends = np.argmin(logs, axis=0) + 1
        return np.array(
            [np.interp(-level, -row[:end], found.time[:end]) for row, end in zip(logs.T, ends, strict=True)]
        )

    whole, most = when(np.log(FALL)), when(np.log(FALL) * 2 / 3)
    return whole, -np.log(FALL) / 3 / (whole - most)


def _rates(found: xarray.Dataset) -> list[Claim]:
    relative = found.loss.values[1:] / found.loss.values[0]
    shares = -np.log(relative) / found.time.values[1:, None] / found.bound.values
    times, late = fallen(found)
    largest = len(IMBALANCES) - 1
    return [
        Claim(
            statement="L(t) <= e^(-c t) L(0), c = 2 s^2 (lambda_r(Lambda)_+ + lambda_m(-Lambda)_+)",
            source=f"{PAPER}, theorem on the rate; constant derived here",
            quantity=f"least log(L(0)/L(t)) / (c t) of {shares.shape[1]} starts, while L(t) > {FALL**2:.0e} L(0)",
            predicted=(1.0, np.inf),
            because="a bound is kept",
            measured=float(shares[relative > FALL**2].min()),
        ),
        Claim(
            statement="the rate c is attained where the imbalance is large",
            source="derived here",
            quantity=f"rate over the last third of a fall to {FALL:.0e}, over c; imbalance {IMBALANCES[-1]:g}",
            predicted=(1.0, 1.05),
            because="imbalance k keeps eigenvalues within k (1 + O(|U V'|^2/k^2)), a per cent here; several times that",
            measured=float(late[largest] / found.bound.values[largest]),
        ),
        Claim(
            statement="the more imbalance, the faster the convergence",
            source=f"{PAPER}, abstract",
            quantity=f"largest ratio of the times to {FALL:.0e} of the same initial loss when the imbalance doubles",
            predicted=(0.0, 1.0),
            because="faster is a ratio below 1",
            measured=float(np.max(times[1 : largest + 1] / times[:largest])),
        ),
    ]


def _invariant(found: xarray.Dataset) -> Claim:
    ends = found.end.values[: len(IMBALANCES)]
    return Claim(
        statement="if what the data do not see of U is orthogonal to the rest, the end is the solution of least norm",
        source=f"{PAPER}, on the invariant set",
        quantity=f"largest distance of {len(ends)} ends, over the norm of that solution",
        predicted=(0.0, 1e-9),
        because="the solver's relative tolerance, 1e-12, in each of up to a thousand steps",
        measured=float(ends.max()),
    )


def _widths(found: xarray.Dataset) -> list[Claim]:
    claims = []
    for power in POWERS:
        exponent = 0.5 - power
        distances = np.exp(np.log(found.distance.sel(power=power)).mean("seed"))
        slope, width = regression(found.width.values, distances.values)
        claims.append(
            Claim(
                statement=f"from entries N(0, h^(-{power:g})), width h, the end is O(h^({exponent:g})) from least norm",
                source=f"{PAPER}, on the implicit bias" if power == 1 else "derived here, the same for another scale",
                quantity=f"slope of log distance on log h, h = {found.width.values[0]} to {found.width.values[-1]}, "
                f"geometric mean of {found.sizes['seed']} seeds",
                predicted=(exponent - 0.125, exponent + 0.125),
                because="half the difference between the powers of the two scales",
                measured=slope,
                uncertainty=width,
            )
        )
    return claims


def draw(data: list[xarray.Dataset]) -> Figure:
    """Drift of the imbalance, losses with their bounds, rates against bounds, and distances against width."""
    (found,) = data
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(2, 2, figsize=(6.8, 5.0), layout="constrained")
        _draw_drift(axes[0, 0], found)
        _draw_losses(axes[0, 1], found)
        _draw_rates(axes[1, 0], found)
        _draw_widths(axes[1, 1], found)
    return figure


def _draw_drift(panel: Any, found: xarray.Dataset) -> None:
    rates, labels = found.rate.values, {1: "gradient descent, change", 2: "to the modified flow's"}
    for (order, row), colour, dashes in zip(drifts(found).items(), COLOURS, DASHES, strict=False):
        panel.loglog(rates, row, "o", markersize=3, color=colour, linestyle=dashes, label=labels[order])
    largest = float(found.drift.max())
    panel.axhline(largest, color="black", linewidth=0.8, linestyle=DASHES[2], label="gradient flow, change")
    panel.set(title="(a) imbalance", xlabel="learning rate $h$", ylabel=r"$|\Delta\Lambda| / |\Lambda(0)|$")
    panel.set_xticks(rates, [f"{h:.3f}" for h in rates])
    panel.minorticks_off()
    panel.legend(fontsize="xx-small", loc="center right")


def _draw_losses(panel: Any, found: xarray.Dataset) -> None:
    for size, colour, dashes in zip((1.0, 4.0, 16.0), COLOURS, DASHES, strict=False):
        case = IMBALANCES.index(size)
        loss, bound = found.loss.values[:, case] / found.loss.values[0, case], float(found.bound[case])
        until = np.argmax(loss < 1e-12) + 1
        panel.semilogy(found.time[:until], loss[:until], color=colour, linestyle=dashes, label=f"imbalance {size:g}")
        ends = np.array([0.0, 30 / bound])
        panel.semilogy(ends, np.exp(-bound * ends), color=colour, linewidth=0.6)
    panel.plot([], [], color="0.4", linewidth=0.6, label="bound $e^{-ct}$")
    panel.set(title="(b) orthogonal starts", xlabel="time $t$", ylabel="$L(t) / L(0)$", xlim=(0, 9), ylim=(1e-10, 2))
    panel.legend(fontsize="xx-small")


def _draw_rates(panel: Any, found: xarray.Dataset) -> None:
    rates, bounds, cut = -np.log(FALL) / fallen(found)[0], found.bound.values, len(IMBALANCES)
    panel.loglog(bounds[:cut], rates[:cut], "o-", markersize=3, color=COLOURS[0], label="orthogonal starts")
    panel.loglog(bounds[cut:], rates[cut:], "s", markersize=2.5, color=COLOURS[1], label="random starts")
    ends = np.array([bounds.min(), bounds.max()])
    panel.loglog(ends, ends, color="black", linewidth=0.8, linestyle=DASHES[1], label="bound")
    panel.set(title="(c) rate of the loss down to $10^{-8}$", xlabel="bound $c$", ylabel="$\\log(L(0)/L(t)) / t$")
    panel.legend(fontsize="xx-small")


def _draw_widths(panel: Any, found: xarray.Dataset) -> None:
    for power, colour, marker in zip(POWERS, COLOURS, "os", strict=False):
        rows = found.distance.sel(power=power).values
        low, middle, high = np.quantile(rows, (0.1, 0.5, 0.9), axis=1)
        panel.fill_between(found.width, low, high, color=colour, alpha=0.15, linewidth=0)
        panel.loglog(found.width, middle, marker, markersize=3, color=colour, label=f"entries $N(0, h^{{-{power:g}}})$")
        line = np.exp(np.mean(np.log(middle))) * (found.width / np.exp(np.mean(np.log(found.width)))) ** (0.5 - power)
        panel.loglog(found.width, line, color=colour, linewidth=0.8, label=f"slope ${0.5 - power:g}$")
    panel.set(title="(d) random starts", xlabel="width $h$", ylabel=r"$|U V' - \hat\Theta| / |\hat\Theta|$ at the end")
    panel.legend(fontsize="xx-small", loc="lower left")
