"""Polyak 1964, "Some methods of speeding up the convergence of iteration methods": momentum on a quadratic mode.

Where heavy ball and Nesterov's method are stable, where they oscillate, and how fast they can be.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import xarray
from matplotlib.figure import Figure

import discrete
from comparisons.plot import COLOURS, DASHES, STYLE
from discrete import Method

from .claim import Claim
from .stored import load as load, stored

PAPER = "Polyak 1964"
KINDS: dict[str, Callable[[float], Method]] = {
    "heavy ball": lambda b: discrete.HeavyBall(1.0, b),
    "Nesterov": lambda b: discrete.Nesterov(1.0, b),
    "look-ahead points": lambda b: discrete.NesterovLookAhead(1.0, b),
    "two-step, a = b/2": lambda b: discrete.TwoStep(1.0, b, b / 2),
}
MOMENTA, QUICK_MOMENTA = (0.1, 0.3, 0.5, 0.8, 0.95), (0.3, 0.8)
RUN, MEASURED, HALVINGS = 20_000, 10_000, 34
GRID = 121
CONDITIONS = (3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
FASTEST = {"condition": 100.0, "points": 201}
PERIOD = {"curvature": 0.01, "momentum": 0.9, "steps": 400}


def compute(folder: Path, *, quick: bool) -> list[Path]:
    """One netCDF file: stability ends found on runs, the radius over the plane of (h lambda, b), and fastest rates."""
    return stored(folder, "polyak_1964", quick=quick, computed=lambda: _computed(QUICK_MOMENTA if quick else MOMENTA))


def _computed(momenta: tuple[float, ...]) -> xarray.Dataset:
    curvatures, plane = np.linspace(0.02, 4.2, GRID), np.linspace(0.0, 0.99, GRID)
    radii = [
        [[discrete.mode(make(float(b)), float(z)).radius for z in curvatures] for b in plane]
        for make in (KINDS["heavy ball"], KINDS["Nesterov"])
    ]
    ends = [[_end_of_stability(make(b)) for b in momenta] for make in KINDS.values()]
    stated = [[make(b).stability_threshold() for b in momenta] for make in KINDS.values()]
    return xarray.Dataset(
        {
            "radius": (("shown", "plane_momentum", "curvature"), radii),
            "bisected": (("kind", "momentum"), ends, {"long_name": "h lambda where runs begin to grow"}),
            "stated": (("kind", "momentum"), stated, {"long_name": "h times the stability threshold"}),
            "fastest": ((), _fastest_on_a_grid()),
            "rates": (("family", "condition"), [_rates(name) for name in RATES]),
            "period": ((), _period_of_a_run()),
        },
        coords={
            "kind": list(KINDS),
            "shown": ["heavy ball", "Nesterov"],
            "momentum": list(momenta),
            "curvature": curvatures,
            "plane_momentum": plane,
            "family": list(RATES),
            "condition": list(CONDITIONS),
        },
    )


@eqx.filter_jit
def growth(method: Method, curvature: Any) -> Any:
    """Mean of log |(x, v)_{n+1}| / |(x, v)_n| over the last steps of a run on lambda x^2/2."""

    def one(_: Any, now: tuple) -> tuple:
        params, state, total = now
        params, state = method.step(lambda x: curvature * x, params, state)
        size = jnp.hypot(params, state)
        return params / size, state / size, total + jnp.log(size)

    start = (jnp.asarray(1.0), jnp.asarray(-0.3), jnp.asarray(0.0))
    params, state, _ = jax.lax.fori_loop(0, RUN, one, start)
    return jax.lax.fori_loop(0, MEASURED, one, (params, state, jnp.asarray(0.0)))[2] / MEASURED


def _end_of_stability(method: Method) -> float:
    """h lambda at which runs begin to grow, by bisection."""
    traced = jax.tree.map(jnp.asarray, method)
    below, above = 0.05, 8.0
    for _ in range(HALVINGS):
        middle = (below + above) / 2
        below, above = (below, middle) if float(growth(traced, jnp.asarray(middle))) > 0 else (middle, above)
    return (below + above) / 2


def worst_radius(method: Method, condition: float) -> float:
    """The larger radius of the modes of curvature 1 and 1/condition."""
    return max(discrete.mode(method, curvature).radius for curvature in (1.0, 1 / condition))


def _fastest_on_a_grid() -> float:
    """The smallest worst radius of heavy ball over learning rates and momenta."""
    condition, points = FASTEST["condition"], int(FASTEST["points"])
    rates, momenta = np.linspace(1.0, 4.0, points), np.linspace(0.3, 0.99, points)
    return min(worst_radius(discrete.HeavyBall(float(h), float(b)), condition) for h in rates for b in momenta)


def polyak_parameters(condition: float) -> discrete.HeavyBall:
    """For curvatures from m to 1, 1/m = condition: h = 4/(1 + q)^2, b = ((1 - q)/(1 + q))^2, q^2 = m."""
    root = condition**-0.5
    return discrete.HeavyBall(4 / (1 + root) ** 2, ((1 - root) / (1 + root)) ** 2)


# The textbook's choices; Nesterov's fastest on quadratics is a little faster still (Lessard, Recht and Packard 2016).
RATES: dict[str, Callable[[float], Method]] = {
    "gradient descent": lambda condition: discrete.GradientDescent(2 / (1 + 1 / condition)),
    "Nesterov": lambda condition: discrete.nesterov_strongly_convex(1.0, 1 / condition),
    "heavy ball": polyak_parameters,
}


def _rates(name: str) -> list[float]:
    return [worst_radius(RATES[name](k), k) for k in CONDITIONS]


def _period_of_a_run() -> float:
    """Steps between sign changes of a run of heavy ball, times two."""
    method = discrete.HeavyBall(1.0, PERIOD["momentum"])
    run = discrete.run(
        method,
        lambda x: PERIOD["curvature"] * x**2 / 2,
        jnp.asarray(1.0),
        steps=int(PERIOD["steps"]),
        observe={"x": lambda x: x},
    )
    x = run.observations["x"] / PERIOD["momentum"] ** (run.steps / 2)
    before = np.flatnonzero(np.diff(np.sign(x)))
    crossings = before + x[before] / (x[before] - x[before + 1])
    return float(2 * np.diff(crossings).mean())


def judge(data: list[xarray.Dataset]) -> list[Claim]:
    """Thresholds, the fastest rate, and the period of the oscillation."""
    (found,) = data
    return [_thresholds(found), _fastest(found), _period(found)]


def _thresholds(found: xarray.Dataset) -> Claim:
    return Claim(
        statement="heavy ball is stable while h lambda < 2 + 2b, Nesterov while h lambda < (2 + 2b)/(1 + 2b)",
        source=f"{PAPER}, section 3; Nesterov's and the two-step family's here",
        quantity=f"largest relative distance to a bisection on runs, {found.bisected.size} methods and momenta",
        predicted=(0.0, 1e-6),
        because="the bisection resolves 1e-9; growth near the threshold is measured to 1e-7 a step",
        measured=float(np.abs(found.bisected / found.stated - 1).max()),
    )


def _fastest(found: xarray.Dataset) -> Claim:
    root = FASTEST["condition"] ** 0.5
    return Claim(
        statement="the fastest heavy ball converges like ((sqrt k - 1)/(sqrt k + 1))^n, k = L/m",
        source=f"{PAPER}, theorem 9",
        quantity=f"best rate -log r on a grid over h and b, over the theorem's; k = {FASTEST['condition']:g}",
        predicted=(0.97, 1.0 + 1e-9),
        because="the optimum is a cusp: the grid's spacing costs up to 3 %",
        measured=float(np.log(found.fastest) / np.log((root - 1) / (root + 1))),
    )


def _period(found: xarray.Dataset) -> Claim:
    angle = discrete.mode(discrete.HeavyBall(1.0, PERIOD["momentum"]), PERIOD["curvature"]).angle
    return Claim(
        statement="where the roots are a pair, iterates oscillate with the period 2 pi / arg r and shrink like b^(n/2)",
        source="the roots in closed form",
        quantity="period between sign changes of a run, over 2 pi / arg r",
        predicted=(0.999, 1.001),
        because="crossings are interpolated between steps",
        measured=float(found.period * angle / (2 * np.pi)),
    )


def draw(data: list[xarray.Dataset]) -> Figure:
    """The radius over (h lambda, b) for both methods, with the ends found on runs, and the fastest rates."""
    (found,) = data
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(1, 3, figsize=(6.8, 2.7), layout="constrained")
        for panel, kind, letter in zip(axes, ("heavy ball", "Nesterov"), "ab", strict=False):
            _draw_region(panel, found, kind, letter)
        _draw_rates(axes[2], found)
    return figure


def _draw_region(panel: Any, found: xarray.Dataset, kind: str, letter: str) -> None:
    radius = found.radius.sel(shown=kind)
    stable = np.where(radius <= 1, radius, np.nan)
    shades = panel.contourf(found.curvature, found.plane_momentum, stable, levels=np.linspace(0, 1, 11), cmap="cividis")
    panel.figure.colorbar(shades, ax=panel, label="radius $|r|$" if kind == "Nesterov" else None, ticks=(0, 0.5, 1))
    momenta = np.linspace(0.001, 0.99, 200)
    ends = np.array([discrete.oscillating_range(KINDS[kind](float(b))) or (np.nan, np.nan) for b in momenta])
    panel.plot(ends[:, 0], momenta, color=COLOURS[5], linestyle=DASHES[1], linewidth=1.1, label="oscillates between")
    panel.plot(ends[:, 1], momenta, color=COLOURS[5], linestyle=DASHES[1], linewidth=1.1)
    panel.plot(found.bisected.sel(kind=kind), found.momentum, "o", color=COLOURS[1], markersize=4, label="end, on runs")
    if kind == "Nesterov":
        panel.legend(fontsize="xx-small", loc="upper right", title="in (a) and (b)", title_fontsize="xx-small")
    panel.set(title=f"({letter}) {kind}", xlabel=r"$h\lambda$", ylabel="momentum $b$", xlim=(0, 4.2), ylim=(0, 0.99))


def _draw_rates(panel: Any, found: xarray.Dataset) -> None:
    for family, colour, dashes in zip(RATES, COLOURS, DASHES, strict=False):
        rates = -np.log(found.rates.sel(family=family))
        panel.loglog(found.condition, rates, marker="o", markersize=3, color=colour, linestyle=dashes, label=family)
    panel.set(title="(c) rate, standard parameters", xlabel="condition $L/m$", ylabel=r"$-\log |r|$ a step")
    panel.legend(fontsize="xx-small")
