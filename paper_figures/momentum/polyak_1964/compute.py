"""The runs behind the figure."""

from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import xarray

import discrete
from discrete import Method

from ...frame.stored import stored
from .setting import CONDITIONS, FASTEST, GRID, HALVINGS, KINDS, MEASURED, MOMENTA, PERIOD, QUICK_MOMENTA, RATES, RUN


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
