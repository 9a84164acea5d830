"""Losses one can hold in the head: quadratic, Rosenbrock, and a curved channel between a flat and a sharp valley."""

from collections.abc import Sequence
from typing import Annotated

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Inexact

from ..memory import check_memory
from ..problem import Problem
from ..registered import problem_builder
from ..settings import Seed


class Quadratic(eqx.Module):
    """L(x) = 1/2 (x - m)' A (x - m), with A symmetric.  matrix: (dim, dim); minimizer: (dim,); returns ()."""

    matrix: Float[Array, "dim dim"]
    minimizer: Float[Array, " dim"]

    def __call__(self, x: Inexact[Array, " dim"]) -> Inexact[Array, ""]:
        offset = x - self.minimizer
        return 0.5 * offset @ (self.matrix @ offset)


@problem_builder("quadratic")
def quadratic(
    *,
    eigenvalues: Annotated[Sequence[float] | np.ndarray, "Spectrum of the quadratic."] = (1.0, 0.1),
    rotate: Annotated[bool, "Whether the eigenvectors of the quadratic are drawn at random."] = True,
    seed: Seed = 0,
) -> Problem:
    """Quadratic with the prescribed Hessian spectrum, started at distance sqrt(dim) from its minimizer.

    rotate: draw the eigenvectors at random (seeded); otherwise the Hessian is diagonal in the given order.
    Raises ValueError on an empty or non-finite spectrum.
    """
    spectrum = np.asarray(eigenvalues, dtype=float)
    if spectrum.ndim != 1 or spectrum.size == 0 or not np.all(np.isfinite(spectrum)):
        raise ValueError(f"`eigenvalues` must be one or more finite numbers, got {eigenvalues!r}.")
    check_memory(spectrum.size**2, times=4, eigenvalues=f"{spectrum.size} numbers")
    random = np.random.default_rng(seed)
    basis = np.eye(spectrum.size)
    if rotate:
        basis, triangle = np.linalg.qr(random.standard_normal((spectrum.size, spectrum.size)))
        basis = basis * np.sign(np.diag(triangle))
    matrix = (basis * spectrum) @ basis.T
    start = basis @ np.ones(spectrum.size)
    loss = Quadratic(jnp.asarray((matrix + matrix.T) / 2), jnp.zeros(spectrum.size))
    return Problem("quadratic", loss, jnp.asarray(start), minimum=0.0 if spectrum.min() >= 0 else None)


def rosenbrock_loss(x: Inexact[Array, " 2"]) -> Inexact[Array, ""]:
    """(1 - x_1)^2 + 100 (x_2 - x_1^2)^2  (Rosenbrock 1960); minimum 0 at (1, 1)."""
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


@problem_builder("rosenbrock")
def rosenbrock() -> Problem:
    """Rosenbrock's function from its customary start (-1.2, 1)."""
    return Problem("rosenbrock", rosenbrock_loss, jnp.asarray([-1.2, 1.0]), minimum=0.0)


def two_valleys_loss(x: Inexact[Array, " 2"]) -> Inexact[Array, ""]:
    """1/4 (x_1^2 - 1)^2 + 1/2 c(x_1) x_2^2 + 1/5 sin(x_1 + x_2), with c = 1/2 + 4 / (1 + exp(-3 x_1)).

    Non-convex and smooth: the valley near x_1 = -1 is flat across (c = 0.7), the one near x_1 = +1 sharp (c = 4.3).
    """
    curvature = 0.5 + 4 / (1 + jnp.exp(-3 * x[0]))
    return 0.25 * (x[0] ** 2 - 1) ** 2 + 0.5 * curvature * x[1] ** 2 + 0.2 * jnp.sin(x[0] + x[1])


@problem_builder("two-valleys")
def two_valleys() -> Problem:
    """The 2-D non-convex toy, started on the flat side of the ridge."""
    return Problem("two-valleys", two_valleys_loss, jnp.asarray([-0.3, 1.0]))
