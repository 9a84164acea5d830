"""The runs behind the figure."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import xarray
from jaxtyping import Array, Float

import discrete
from flows.modified.coefficients import coefficients
from flows.modified.differentials import combination
from flows.modified.quadratic import convergence_radius, slow_root, tall_coefficients
from flows.modified.scheme import heavy_ball_scheme

from ...frame.stored import stored
from .setting import DURATION, ERROR_TIME, FRACTIONS, MOMENTUM, ORDERS, QUICK_SHORTER, SHORTER, START, STEP, TERMS


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
        for name, method in linear_methods().items()
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


def linear_methods() -> dict[str, discrete.Method]:
    """The methods whose series on a quadratic mode is looked at, at h = 1."""
    return {"gradient_descent": discrete.GradientDescent(1.0), "heavy_ball": discrete.HeavyBall(1.0, MOMENTUM)}


def _truncated(method: discrete.Method, fraction: float) -> list[float]:
    """|sum of the first p terms - log r| / |log r| for p = 1, ..., 12 at a curvature, as a fraction of the radius."""
    z = fraction * convergence_radius(method)
    exact = np.log(slow_root(method, z))
    terms = [c * (-z) ** k for k, c in enumerate(tall_coefficients(method, TERMS), start=1)]
    return [float(abs(partial - exact) / abs(exact)) for partial in np.cumsum(terms)]
