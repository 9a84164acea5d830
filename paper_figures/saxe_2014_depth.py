"""Saxe, McClelland and Ganguli 2014, "Exact solutions to the nonlinear dynamics of learning in deep linear neural
networks", sections 2 and 3: what depth costs.

The paper finds that with d weight matrices a mode of a decoupled start follows u' = d u^(2 - 2/d) (s - u), that the
best learning rate falls like 1/depth, and that with it depth costs a finite number of iterations where the start is
decoupled or orthogonal, but ever more where it is Gaussian.

Shown here: gradient flow of full matrices, d = 3 and 5, against the closed form of the time; iterations of gradient
descent of one decoupled mode up to d = 1000, where all weights stay alike; iterations from orthogonal and from Gaussian
matrices, 16 wide, up to d = 32, at the best of several rates.

Not as in the paper: no MNIST, but matrices with chosen singular values and white inputs, which are learned in tens of
iterations; and depth is counted in weight matrices d, while the paper's layers are d + 1.
"""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import xarray
from jaxtyping import Array
from matplotlib.figure import Figure

import discrete
import flows
import landscapes
from comparisons.order import TIGHT, dopri8, regression
from comparisons.plot import COLOURS, DASHES, STYLE
from comparisons.progress_bar import progress_bar

from .claim import Claim
from .stored import load as load, stored

PAPER = "Saxe, McClelland and Ganguli 2014"
FLOWS, STRENGTHS, FLOW_FIRST = (3, 5), (4.0, 2.0, 1.0), 1e-2
DURATION, SAMPLES = 8.0, 160
STRENGTH, FIRST = 2.0, (1e-1, 1e-2, 1e-3)
DEPTHS = (2, 3, 5, 10, 20, 30, 50, 70, 100, 200, 500, 1000)
RATES = np.geomspace(0.3, 3.0, 60)
WIDTH, LEARNED, LEFT = 16, (2.0, 1.6, 1.3, 1.0), 0.01
STARTS, START_RATES = ("orthogonal", "Gaussian"), np.geomspace(0.09, 0.8, 7)
START_DEPTHS, QUICK_START_DEPTHS = (4, 8, 16, 32), (4, 8, 16)
START_SEEDS, QUICK_START_SEEDS = 36, 16
START_STEPS, QUICK_START_STEPS = 400, 150


def compute(folder: Path, *, quick: bool) -> list[Path]:
    """One netCDF file: modes along gradient flow, and iterations of gradient descent against depth."""
    return stored(folder, "saxe_2014_depth", quick=quick, computed=lambda: _computed(quick))


def _computed(quick: bool) -> xarray.Dataset:
    depths, seeds, steps = (
        (QUICK_START_DEPTHS, QUICK_START_SEEDS, QUICK_START_STEPS)
        if quick
        else (START_DEPTHS, START_SEEDS, START_STEPS)
    )
    coords = {"flow": list(FLOWS), "mode": list(STRENGTHS), "first": list(FIRST), "depth": list(DEPTHS)}
    coords |= {"start": list(STARTS), "start_depth": list(depths)}
    return xarray.Dataset(_flows() | _decoupled() | _started(depths, seeds, steps), coords=coords)


def _flows() -> dict[str, Any]:
    """Strengths of modes of full matrices along gradient flow; the depths share no weights, and one run moves both."""
    problems = {
        str(depth): landscapes.deep_linear(depth=depth, width=len(STRENGTHS), singular_values=STRENGTHS)
        for depth in FLOWS
    }
    start = {name: landscapes.decoupled_start(problem, FLOW_FIRST) for name, problem in problems.items()}

    def loss(networks: Any) -> Any:
        return sum(problems[name].loss(weights) for name, weights in networks.items())

    def strengths(networks: Any) -> Any:
        return jnp.stack([landscapes.mode_strengths(problems[name])(networks[name]) for name in problems])

    flow = flows.GradientFlow(discrete.GradientDescent(DURATION / SAMPLES))
    observe = {"strengths": strengths}
    run = flows.solve(flow, loss, start, steps=SAMPLES, observe=observe, integrator=dopri8(TIGHT))
    return {"time": ("sample", run.times), "strength": (("sample", "flow", "mode"), run.observations["strengths"])}


def iterations(depth: np.ndarray, rate: np.ndarray, first: float) -> np.ndarray:
    """Steps of gradient descent until u stays within `first` of s, from `first`; infinite where it never does.

    From a decoupled start all d weights of a mode stay equal, and a step is a <- a + h a^(d-1) (s - a^d).
    """
    most = round(4 * STRENGTH / first) + 100
    weight = first ** (1 / depth) * np.ones_like(rate)
    last = np.zeros(weight.shape)
    with np.errstate(over="ignore", invalid="ignore"):
        for step in range(1, most + 1):
            weight = weight + rate * weight ** (depth - 1) * (STRENGTH - weight**depth)
            last[~(np.abs(STRENGTH - weight**depth) < first)] = step
    return np.where(last < most, last + 1, np.inf)


def _decoupled() -> dict[str, Any]:
    """Iterations of one mode: at the paper's estimate of the best rate, and at the best of many."""
    depths = np.array(DEPTHS, float)
    estimate = 1 / (depths * STRENGTH ** (2 - 2 / depths))
    rates = estimate[:, None] * RATES
    best = np.argmin(iterations(depths[:, None], rates, FIRST[1]), axis=1)
    return {
        "at_estimate": (("first", "depth"), [iterations(depths, estimate, first) for first in FIRST]),
        "best_rate": ("depth", rates[np.arange(len(depths)), best]),
    }


def _started(depths: tuple[int, ...], seeds: int, steps: int) -> dict[str, Any]:
    """Iterations until LEFT of |T|^2/2 is left, `steps` if never, at every rate; orthogonal and Gaussian matrices."""
    deepest, random = max(depths), np.random.default_rng(0)
    teacher = _orthogonal(random)[:, : len(LEARNED)] * np.array(LEARNED)

    def losses(weights: Array, depth: Array, rate: Array) -> Array:
        def layer(x: Array, at: Any) -> tuple[Array, None]:
            # Layers beyond the depth hand on what they get, so that one program serves all depths.
            return jnp.where(at[0] < depth, x @ at[1], x), None

        def loss(weights: Array) -> Array:
            product, _ = jax.lax.scan(layer, jnp.eye(WIDTH), (jnp.arange(deepest), weights))
            return jnp.sum((product[:, : len(LEARNED)] - teacher) ** 2) / 2

        def step(weights: Array, _: None) -> tuple[Array, Array]:
            return method.step(jax.grad(loss), weights, None)[0], loss(weights)

        method = discrete.GradientDescent(rate)
        return jax.lax.scan(step, weights, None, length=steps)[1]

    each_rate = jax.vmap(losses, (None, None, 0))
    program = jax.jit(jax.vmap(jax.vmap(each_rate, (0, None, None)), (None, 0, 0)))
    rates, counts = START_RATES / np.array(depths, float)[:, None], []
    with progress_bar(title="starts: ") as show:
        for seed in range(seeds):
            rotations = np.stack([_orthogonal(random) for _ in range(deepest)])
            weights = np.stack([rotations, random.standard_normal(rotations.shape) / np.sqrt(WIDTH)])
            learned = np.asarray(program(weights, jnp.asarray(depths), rates)) < LEFT * np.sum(np.square(LEARNED)) / 2
            counts.append(np.where(learned.any(-1), np.argmax(learned, axis=-1), steps))
            show(seed + 1, seeds)
    return {
        "started": (("seed", "start_depth", "start", "rate"), counts),
        "start_rate": (("start_depth", "rate"), rates),
    }


def _orthogonal(random: np.random.Generator) -> np.ndarray:
    q, r = np.linalg.qr(random.standard_normal((WIDTH, WIDTH)))
    return q * np.sign(np.diag(r))


def judge(data: list[xarray.Dataset]) -> list[Claim]:
    """The equation of a mode, the best rate, the delay, and the growth of the iterations from two starts."""
    (found,) = data
    return [_equation(found), _best_rate(found), _delay(found), *_growths(found)]


def _equation(found: xarray.Dataset) -> Claim:
    misses = []
    for depth in FLOWS:
        for strength in STRENGTHS:
            u = found.strength.sel(flow=depth, mode=strength).values
            rising = u < 0.98 * strength
            exact = landscapes.mode_time(u[rising], depth, strength, FLOW_FIRST)
            misses.append(np.max(np.abs(exact - found.time.values[rising])))
    return Claim(
        statement="with d weight matrices a mode of a decoupled start follows u' = d u^(2 - 2/d) (s - u)",
        source=f"{PAPER}, equation 15",
        quantity=f"largest difference of the time from its closed form, gradient flow, d = {FLOWS[0]} and {FLOWS[1]}",
        predicted=(0.0, 1e-8),
        because="the solver's error in u over u', which is small at both ends of the rise",
        measured=float(np.max(misses)),
    )


def _best_rate(found: xarray.Dataset) -> Claim:
    deep = found.depth.values >= 5
    slope, width = regression(found.depth.values[deep] + 1.0, found.best_rate.values[deep])
    return Claim(
        statement="from a decoupled start the best learning rate falls with the number of layers like 1/N",
        source=f"{PAPER}, section 2 and figure 4",
        quantity=f"slope of log best of {len(RATES)} rates on log (d + 1), d = 5 to {DEPTHS[-1]}, u_0 = {FIRST[1]:g}",
        predicted=(-1.15, -0.85),
        because="separates neighbouring powers three times over",
        measured=slope,
        uncertainty=width,
    )


def _delay(found: xarray.Dataset) -> Claim:
    first = found["first"].values
    measured = (found.at_estimate.sel(depth=DEPTHS[-1]) - found.at_estimate.sel(depth=2)).values
    shares = measured / (STRENGTH / first - STRENGTH / (STRENGTH - first))
    return Claim(
        statement="at the rate 1/(d s^(2 - 2/d)) depth costs a finite delay, t_inf - t_3 = s/e - s/(s - e) iterations",
        source=f"{PAPER}, section 2 and equation 17",
        quantity=f"iterations from e to s - e at d = {DEPTHS[-1]} less those at d = 2, over the formula; "
        f"farthest from 1 of e = {', '.join(f'{e:g}' for e in first)}",
        predicted=(0.95, 1.05),
        because="(e/s)^(2/d) is 0.985, iterations are whole, and steps at this rate are no small ones at the end",
        measured=float(shares[np.argmax(np.abs(shares - 1))]),
    )


def at_best(found: xarray.Dataset, start: str) -> np.ndarray:
    """(seed, depth): iterations at the best rate."""
    return found.started.sel(start=start).min("rate").values.astype(float)


def _growths(found: xarray.Dataset) -> list[Claim]:
    deepest = int(found.start_depth[-1])
    statements = {
        "orthogonal": ("from random orthogonal matrices the learning time does not depend on depth", (-0.5, 0.5)),
        "Gaussian": ("from Gaussian matrices of the same scale it grows with depth", (0.5, np.inf)),
    }
    claims = []
    for start, (statement, predicted) in statements.items():
        counts = at_best(found, start)[:, -2:]
        half, whole = counts.mean(axis=0)
        errors = counts.std(axis=0) / counts.mean(axis=0) / len(counts) ** 0.5
        claims.append(
            Claim(
                statement=statement,
                source=f"{PAPER}, section 3 and figure 6A",
                quantity=f"power of d in the iterations at the best rate, d = {deepest // 2} to {deepest}; "
                f"mean of {len(counts)} seeds",
                predicted=predicted,
                because="half way between independent of depth, 0, and in proportion to it, 1; 2 standard errors",
                measured=float(np.log2(whole / half)),
                uncertainty=float(2 * np.hypot(*errors) / np.log(2)),
            )
        )
    return claims


def draw(data: list[xarray.Dataset]) -> Figure:
    """Modes of deeper networks, iterations against depth, and the best rates."""
    (found,) = data
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(1, 3, figsize=(6.8, 2.6), layout="constrained")
        _draw_modes(axes[0], found)
        _draw_iterations(axes[1], found)
        _draw_rates(axes[2], found)
    return figure


def _draw_modes(panel: Any, found: xarray.Dataset) -> None:
    for depth, dashes in zip(FLOWS, DASHES, strict=False):
        for strength, colour in zip(STRENGTHS, COLOURS, strict=False):
            label = f"$d = {depth}$" if strength == STRENGTHS[0] else None
            u = found.strength.sel(flow=depth, mode=strength)
            panel.plot(found.time, u, color=colour, linestyle=dashes, label=label)
            shown = np.linspace(0.05, 0.95, 7) * strength
            exact = landscapes.mode_time(shown, depth, strength, FLOW_FIRST)
            panel.plot(exact, shown, "o", color="black", markersize=1.8, zorder=3)
    panel.plot([], [], "o", color="black", markersize=1.8, label="closed form")
    panel.set(title="(a) modes, decoupled start", xlabel="time $t$", ylabel="strength $u$ of a mode")
    panel.set_xlim(0, DURATION)
    panel.legend(fontsize="xx-small", loc="upper right", bbox_to_anchor=(1.0, 0.88))


def _draw_iterations(panel: Any, found: xarray.Dataset) -> None:
    for first, colour in zip(FIRST, COLOURS, strict=False):
        row = found.at_estimate.sel(first=first)
        label = f"decoupled, $u_0 = 10^{{{round(np.log10(first))}}}$"
        panel.loglog(found.depth, row, "o-", color=colour, markersize=2, linewidth=0.9, label=label)
    for start, colour, dashes in zip(STARTS, COLOURS[3:], DASHES[1:], strict=False):
        counts = at_best(found, start)
        bars = 2 * counts.std(axis=0) / len(counts) ** 0.5
        style = {"color": colour, "linestyle": dashes, "linewidth": 0.9, "markersize": 2.5}
        panel.errorbar(found.start_depth, counts.mean(axis=0), bars, fmt="s", label=start, **style)
    panel.set(title="(b) iterations", xlabel="depth $d$", ylabel="iterations to learn")
    panel.set_ylim(3, 3e5)
    panel.legend(fontsize="xx-small", loc="upper left")


def _draw_rates(panel: Any, found: xarray.Dataset) -> None:
    depths = found.depth.values.astype(float)
    panel.loglog(depths, found.best_rate, "o", color=COLOURS[1], markersize=3, label="best, $u_0 = 10^{-2}$")
    estimate = 1 / (depths * STRENGTH ** (2 - 2 / depths))
    panel.loglog(depths, estimate, color="black", linewidth=0.8, label="$1/(d s^{2 - 2/d})$")
    for start, colour, marker in zip(STARTS, COLOURS[3:], "s^", strict=False):
        mean = found.started.sel(start=start).mean("seed").values
        best = np.take_along_axis(found.start_rate.values, np.argmin(mean, axis=1)[:, None], axis=1)
        panel.loglog(found.start_depth, best, marker, color=colour, markersize=3, label=start)
    panel.set(title="(c) best learning rate", xlabel="depth $d$", ylabel="learning rate $h$")
    panel.legend(fontsize="xx-small")
