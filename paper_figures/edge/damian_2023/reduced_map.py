"""The reduced map of Damian, Nichani and Lee 2023 on the loss on which gradient descent is that map.

x+ = -(1 + h y) x, y+ = y + h (a - b x^2/2): displacement along the top eigenvector and sharpness above 2/h.
"""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import xarray
from jaxtyping import Array, Float

import discrete
from comparisons.plot import COLOURS, DASHES
from comparisons.theorems.order import regression

from ...frame.claim import Claim

PAPER = "Damian, Nichani and Lee 2023"
SHARPENING = 2.0
RATES, DURATION = (0.04, 0.02, 0.01, 0.005), 12.0
# Starts x^2/d^2, and about the time of the large loop.
SMALL, LARGE, LOOP = 1.02, 0.2, 4.0


class Toy(eqx.Module):
    """(2/h + y) x^2/2 - a y: where x = 0 the sharpness is 2/h + y, of gradient 1, and b = 1."""

    edge: Float[Array, ""]
    sharpening: Float[Array, ""]

    def __call__(self, point: Float[Array, " 2"]) -> Float[Array, ""]:
        x, y = point
        return (self.edge + y) * x**2 / 2 - self.sharpening * y


def loops() -> dict[str, Any]:
    """x and y of gradient descent on the toy, on a small and on a large loop, for every learning rate."""
    starts = {"small": SMALL, "large": LARGE}
    return {
        _name(size, h): ((f"sample_{h:g}", "component"), _loop(h, start))
        for h in RATES
        for size, start in starts.items()
    }


def _name(size: str, h: float) -> str:
    return f"{size}, {h:g}"


def _loop(h: float, start: float) -> np.ndarray:
    """From x^2 = start d^2, y = 0."""
    toy, begin = Toy(jnp.asarray(2 / h), jnp.asarray(SHARPENING)), jnp.asarray([np.sqrt(2 * SHARPENING * start), 0.0])
    run = discrete.run(discrete.GradientDescent(h), toy, begin, steps=round(DURATION / h), keep_params=True)
    return np.asarray(run.params)


def judge(found: xarray.Dataset) -> list[Claim]:
    """The map itself, its energy in the limit and at finite h, the period, and the mean of x^2."""
    return [_exact(found), _conserved(found), _growth(found), _period(found), _mean(found)]


def _exact(found: xarray.Dataset) -> Claim:
    worst = 0.0
    for h in RATES:
        path = found[_name("large", h)].values
        x, y = path[:-1].T
        mapped = np.stack([-(1 + h * y) * x, y + h * (SHARPENING - x**2 / 2)], axis=1)
        worst = max(worst, float(np.abs(mapped - path[1:]).max()))
    return Claim(
        statement="x+ = -(1 + h y) x, y+ = y + h (a - b x^2/2): on the toy this is gradient descent itself",
        source=f"{PAPER}, the section on the cubic expansion; the toy is ours",
        quantity="largest difference of a step from the map, over four learning rates",
        predicted=(0.0, 1e-12),
        because="rounding of h (2/h + y) x, x up to 6, with room for a hundred times that",
        measured=worst,
    )


def energy(path: np.ndarray) -> np.ndarray:
    """V - a = y^2 + a (X - 1 - log X), X = x^2/d^2: 0 at the rest point, constant in the limit h -> 0."""
    relative = path[:, 0] ** 2 / (2 * SHARPENING)
    return path[:, 1] ** 2 + SHARPENING * (relative - 1 - np.log(relative))


def _conserved(found: xarray.Dataset) -> Claim:
    ends = [energy(found[_name("large", h)].values)[[0, round(LOOP / h)]] for h in RATES]
    slope, width = regression(np.array(RATES), np.abs(np.log([end / begin for begin, end in ends])))
    return Claim(
        statement="for h -> 0 the map is a Lotka-Volterra equation and conserves its energy",
        source=f"{PAPER}, the section on the cubic expansion",
        quantity=f"slope of log |log(energy at time {LOOP:g} over that at the start)| on log h, along a large loop",
        predicted=(0.85, 1.15),
        because="the map is that equation's explicit Euler step in log x^2 and y: an error of order 1",
        measured=slope,
        uncertainty=width,
    )


def _farthest(ratios: list[float]) -> float:
    return max(ratios, key=lambda ratio: abs(ratio - 1))


def _growth(found: xarray.Dataset) -> Claim:
    ratios = []
    for h in RATES:
        excess = energy(found[_name("small", h)].values)
        # Per step; a period has 2 pi/(h sqrt(2 a)).
        rate = np.polyfit(np.arange(len(excess)), np.log(excess), 1)[0]
        ratios.append(float(rate / (2 * SHARPENING * h**2)))
    return Claim(
        statement="at h > 0 small loops spiral out: their energy grows by exp(2 pi h sqrt(2 a)) in each period",
        source="derived here, from the multipliers 1 +- i h sqrt(2 a) at the rest point",
        quantity="log growth per period, over 2 pi h sqrt(2 a); farthest from 1 of four learning rates",
        predicted=(0.99, 1.01),
        because="(h sqrt(2 a))^2/6 = 0.1 % is left at the largest h, the rest for loops that are not infinitely small",
        measured=_farthest(ratios),
    )


def _period(found: xarray.Dataset) -> Claim:
    ratios = []
    for h in RATES:
        y = found[_name("small", h)].values[:, 1]
        rising = np.flatnonzero((y[:-1] < 0) & (y[1:] >= 0))
        crossings = rising - y[rising] / (y[rising + 1] - y[rising])
        ratios.append(float(np.diff(crossings).mean() * h * np.sqrt(2 * SHARPENING) / (2 * np.pi)))
    return Claim(
        statement="small loops have the period 2 pi/(h sqrt(2 a)) in steps, whatever b",
        source=f"derived here from the map of {PAPER}",
        quantity="measured period over that; farthest from 1 of four learning rates",
        predicted=(0.99, 1.01),
        because="(h sqrt(2 a))^2/3 = 0.2 % is left at the largest h, the rest for loops that are not infinitely small",
        measured=_farthest(ratios),
    )


def _mean(found: xarray.Dataset) -> Claim:
    path = found[_name("large", RATES[-1])].values
    rising = np.flatnonzero((path[:-1, 1] < 0) & (path[1:, 1] >= 0))
    square = path[rising[0] : rising[-1], 0] ** 2
    return Claim(
        statement="over a loop x^2 has the mean d^2 = 2 a/b",
        source=f"{PAPER}, where the displacement oscillates around d",
        quantity=f"mean of x^2 over whole large loops, over 2 a/b, h = {RATES[-1]:g}",
        predicted=(0.99, 1.01),
        because="y returns to 0 up to one step of some hundred",
        measured=float(square.mean() / (2 * SHARPENING)),
    )


def draw_plane(panel: Any, found: xarray.Dataset) -> None:
    """Large loops of two learning rates and the curve of constant energy through their start."""
    delta, unit = np.sqrt(2 * SHARPENING), np.sqrt(2 * SHARPENING)
    for h, colour, size in ((RATES[0], COLOURS[1], 3.0), (RATES[-1], COLOURS[0], 1.0)):
        x, y = found[_name("large", h)].values.T
        panel.plot(np.abs(x) / delta, y / unit, ".", color=colour, markersize=size, label=f"$h = {h:g}$")
    x, y = np.meshgrid(np.linspace(0.05, 2.2, 200) * delta, np.linspace(-2.2, 2.2, 200) * unit)
    level = energy(found[_name("large", RATES[0])].values[:1])
    heights = energy(np.stack([x.ravel(), y.ravel()], axis=1)).reshape(x.shape)
    panel.contour(x / delta, y / unit, heights, levels=level, colors="black", linewidths=0.8)
    panel.plot([], [], color="black", linewidth=0.8, label=r"limit $h \to 0$")
    panel.set(title="toy, large loops", xlabel=r"$|x| / \delta$", ylabel=r"$y / \sqrt{2\alpha}$")
    panel.legend(fontsize="xx-small")


def draw_energy(panel: Any, found: xarray.Dataset) -> None:
    """Energy of the small loops against time, with the predicted growth."""
    for h, colour, dashes in zip(RATES, COLOURS, DASHES, strict=False):
        excess = energy(found[_name("small", h)].values)
        times = h * np.arange(len(excess))
        panel.semilogy(times, excess / excess[0], color=colour, linestyle=dashes, linewidth=1.0, label=f"$h = {h:g}$")
        panel.semilogy(times, np.exp(2 * SHARPENING * h * times), color="0.75", linewidth=2.5, zorder=0)
    panel.plot([], [], color="0.75", linewidth=2.5, label=r"$e^{2\alpha h t}$")
    panel.set(title="toy, small loops", xlabel="time $t = h n$", ylabel="energy over that at the start")
    panel.legend(fontsize="xx-small")
