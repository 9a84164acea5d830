"""Hairer, Lubich and Wanner 2006, "Geometric numerical integration", chapter IX: the modified equation of Euler.

Explicit Euler on the Lotka-Volterra system q' = q (p - 1), p' = p (2 - q) of their page 340 (here to order 4), and how
the truncated series of a linear problem behaves as the order grows: for gradient descent, and for heavy ball.
"""

from fractions import Fraction
from pathlib import Path
from typing import Any

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import xarray
from jaxtyping import Array, Float
from matplotlib.figure import Figure

import discrete
from comparisons.plot import COLOURS, DASHES, STYLE
from comparisons.theorems.order import regression
from flows.modified.coefficients import coefficients
from flows.modified.differentials import combination
from flows.modified.quadratic import convergence_radius, slow_root, tall_coefficients
from flows.modified.scheme import heavy_ball_scheme

from .claim import Claim
from .stored import load as load, stored

BOOK = "Hairer, Lubich and Wanner 2006"
ORDERS = (1, 2, 3, 4)
START = (2.5, 2.0)
STEP = 0.1
DURATION = 10.0
SHORTER = (0.04, 0.02, 0.01, 0.005)
QUICK_SHORTER = (0.04, 0.02, 0.01)
ERROR_TIME = 2.0
MOMENTUM = 0.25
TERMS = 12
FRACTIONS = (0.25, 0.5, 0.9, 1.2)


def compute(folder: Path, *, quick: bool) -> list[Path]:
    """One netCDF file: Euler's iterates, the flows of order 1 to 4, their errors, and truncated series of log."""
    return stored(folder, "hairer_2006", quick=quick, computed=lambda: _computed(QUICK_SHORTER if quick else SHORTER))


def _computed(shorter: tuple[float, ...]) -> xarray.Dataset:
    steps = round(DURATION / STEP)
    times = STEP * jnp.arange(steps + 1)
    flows = [np.asarray(_modified(order, jnp.asarray(STEP), times)) for order in ORDERS]
    errors = [[_error(order, h) for h in shorter] for order in ORDERS]
    series = {
        f"series_{name}": (("fraction", "order"), [_truncated(method, f) for f in FRACTIONS])
        for name, method in _linear_methods().items()
    }
    return xarray.Dataset(
        {
            "euler": (("sample", "component"), np.asarray(_euler(jnp.asarray(STEP), steps))),
            "flow": (("claimed", "sample", "component"), flows),
            "error": (("claimed", "step"), errors, {"long_name": f"distance to the flow at time {ERROR_TIME}"}),
            **series,
        },
        coords={"claimed": list(ORDERS), "step": list(shorter), "fraction": list(FRACTIONS)},
    )


def _field(x: Float[Array, " 2"]) -> Float[Array, " 2"]:
    q, p = x
    return jnp.stack([q * (p - 1), p * (2 - q)])


@eqx.filter_jit
def _euler(h: Float[Array, ""], steps: int) -> Float[Array, "n 2"]:
    start = jnp.asarray(START)
    _, path = jax.lax.scan(lambda x, _: ((y := x + h * _field(x)), y), start, length=steps)
    return jnp.concatenate([start[None], path])


@eqx.filter_jit
def _modified(order: int, h: Float[Array, ""], times: Float[Array, " n"]) -> Float[Array, "n 2"]:
    weights = {tree: float(c) for tree, c in coefficients(heavy_ball_scheme(Fraction(0)), order).items() if c}

    def field(t: Any, x: Array, args: Any) -> Array:
        del t, args
        return combination(lambda x: h * _field(x), x, weights) / h

    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(field),
        diffrax.Dopri8(),
        times[0],
        times[-1],
        h,
        jnp.asarray(START),
        saveat=diffrax.SaveAt(ts=times),
        stepsize_controller=diffrax.PIDController(rtol=1e-12, atol=1e-13),
        max_steps=100_000,
    )
    assert solution.ys is not None
    return solution.ys


def _error(order: int, h: float) -> float:
    rate, ends = jnp.asarray(h), jnp.asarray([0.0, ERROR_TIME])
    return float(jnp.linalg.norm(_modified(order, rate, ends)[-1] - _euler(rate, round(ERROR_TIME / h))[-1]))


def _linear_methods() -> dict[str, discrete.Method]:
    return {"gradient_descent": discrete.GradientDescent(1.0), "heavy_ball": discrete.HeavyBall(1.0, MOMENTUM)}


def _truncated(method: discrete.Method, fraction: float) -> list[float]:
    """|sum of the first p terms - log r| / |log r| for p = 1, ..., 12 at a curvature, as a fraction of the radius."""
    z = fraction * convergence_radius(method)
    exact = np.log(slow_root(method, z))
    terms = [c * (-z) ** k for k, c in enumerate(tall_coefficients(method, TERMS), start=1)]
    return [float(abs(partial - exact) / abs(exact)) for partial in np.cumsum(terms)]


def judge(data: list[xarray.Dataset]) -> list[Claim]:
    """Three claims: the order of every truncation, the outward spiral, and the radius of convergence."""
    (found,) = data
    return [_orders(found), _spiral(found), _radius()]


def _orders(found: xarray.Dataset) -> Claim:
    slopes = [regression(found.step.values, row)[0] for row in found.error.values]
    return Claim(
        statement="the flow of the modified equation truncated after h^(p-1) meets the numerical solution to O(h^p)",
        source=f"{BOOK}, theorem IX.1.2 and corollary",
        quantity="largest |slope - p| of log error on log h at time 2, p = 1 to 4",
        predicted=(0.0, 0.15),
        because="half of this separates neighbouring orders three times over",
        measured=float(np.max(np.abs(np.array(slopes) - np.array(ORDERS)))),
    )


def invariant(path: np.ndarray) -> np.ndarray:
    """I = log p - p + 2 log q - q, constant along the exact flow."""
    q, p = path[..., 0], path[..., 1]
    return np.log(p) - p + 2 * np.log(q) - q


def _spiral(found: xarray.Dataset) -> Claim:
    euler, second = (invariant(path)[[0, -1]] for path in (found.euler.values, found.flow.sel(claimed=2).values))
    return Claim(
        statement="the exact solution is periodic, Euler's spirals outwards, and so does the modified equation's",
        source=f"{BOOK}, section IX.1, figure 1.1",
        quantity="drift of the invariant along the flow of order 2, over that of Euler's iterates",
        predicted=(0.75, 1.25),
        because="relative error O(h) at h = 0.1 over 100 steps",
        measured=float(np.diff(second)[0] / np.diff(euler)[0]),
    )


def _radius() -> Claim:
    method = _linear_methods()["heavy_ball"]
    terms = np.abs(tall_coefficients(method, TERMS))
    n = np.arange(1, TERMS)
    ratios = terms[:-1] / terms[1:]
    # A square-root branch point has ratios R (1 + 3/(2 n) + ...): two steps of elimination of 1/n and 1/n^2.
    once = np.diff(n * ratios)
    twice = np.diff((n[:-1] + 0.5) * once)
    return Claim(
        statement="on a linear problem the series has a finite radius: here heavy ball's, (1 - sqrt b)^2 in h s",
        source="derived here, b = 1/4; the book's example is Euler's, with radius 1",
        quantity="radius extrapolated from the ratios of the first 12 exact coefficients, over (1 - sqrt b)^2",
        predicted=(0.97, 1.03),
        because="what is left of the extrapolation is of the order 1/12^3 times a few",
        measured=float(twice[-1] / convergence_radius(method)),
    )


def draw(data: list[xarray.Dataset]) -> Figure:
    """Phase plane, error against the step, and error of the truncated series against its order."""
    (found,) = data
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(1, 3, figsize=(6.8, 2.7), layout="constrained")
        _draw_plane(axes[0], found)
        _draw_errors(axes[1], found)
        _draw_series(axes[2], found)
    return figure


def _draw_plane(panel, found: xarray.Dataset) -> None:
    panel.plot(*found.euler.values.T, ".", color="black", markersize=2.5, label=f"Euler, $h = {STEP}$")
    names = ("exact flow", "order 2", "order 3", "order 4")
    for name, path, colour, dashes in zip(names, found.flow.values, COLOURS, DASHES, strict=False):
        panel.plot(*path.T, color=colour, linestyle=dashes, linewidth=0.9, label=name)
    panel.set(title="(a) Lotka-Volterra", xlabel="$q$", ylabel="$p$")
    panel.legend(fontsize="xx-small", loc="upper right")


def _draw_errors(panel, found: xarray.Dataset) -> None:
    for order, row, colour in zip(ORDERS, found.error.values, COLOURS, strict=False):
        panel.loglog(found.step, row, "o-", color=colour, markersize=3, linewidth=0.9, label=f"order {order}")
    panel.set(title="(b) error of the flows, $t = 2$", xlabel="$h$", ylabel=r"$|x_n - X(nh)|$")
    panel.set_xticks(found.step.values, [f"{h:g}" for h in found.step.values], rotation=45)
    panel.minorticks_off()
    panel.legend(fontsize="xx-small")


def _draw_series(panel, found: xarray.Dataset) -> None:
    orders = np.arange(1, TERMS + 1)
    for fraction, colour in zip(FRACTIONS, COLOURS, strict=False):
        for name, dashes, label in (("gradient_descent", "-", f"{fraction:g}"), ("heavy_ball", "--", None)):
            row = found[f"series_{name}"].sel(fraction=fraction)
            panel.semilogy(orders, row, linestyle=dashes, color=colour, linewidth=0.9, label=label)
    panel.set(title="(c) series on a quadratic mode", xlabel="order", ylabel="relative error of the rate")
    panel.plot([], [], "-", color="0.4", linewidth=0.9, label="gradient descent")
    panel.plot([], [], "--", color="0.4", linewidth=0.9, label=f"heavy ball, $\\beta = {MOMENTUM}$")
    panel.set_xticks(orders[1::2])
    panel.legend(title="$h\\lambda$ / radius", fontsize="xx-small", title_fontsize="xx-small", loc="lower left")
