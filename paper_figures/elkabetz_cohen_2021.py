"""Elkabetz and Cohen 2021, "Continuous vs. discrete optimization of deep neural networks": how far gradient descent is
from gradient flow, and the bound that the smallest eigenvalue of the Hessian along the way puts on it.

The paper runs fully connected and convolutional networks on 1000 images of MNIST with step sizes from 0.001 to a
twentieth of it, at equal times, and takes the smallest for gradient flow. Its theorem 3 bounds the distance by the
integral of the local errors, each grown by exp of minus the integral of lambda_min; for deep linear networks from a
small balanced start it shows that lambda_min stays near 0, where in general the growth is exponential.

Here gradient flow is solved, and the bound stands beside the distance: fully connected networks without bias, cross
entropy, digits, then a deep linear network with one mode to learn from small balanced starts, and a saddle. Step sizes
are larger, as the sharpness is a few units. The networks' bounds are estimates in the sense of `divergence_bound`, the
saddle's are certificates. relu's Hessian is the one off its kinks, along which its gradient flow can slide.
"""

from itertools import pairwise
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import xarray
from jaxtyping import Array, Float
from matplotlib.figure import Figure

import comparisons
import discrete
import flows
import landscapes
from comparisons import Comparison, DivergenceBound
from comparisons.order import regression
from comparisons.plot import COLOURS, DASHES, STYLE
from comparisons.progress_bar import progress_bar
from landscapes import Loss, Params
from landscapes.datasets import digits
from landscapes.networks import dense_layer, layer_stream

from .claim import Claim
from .stored import load as load, stored

PAPER = "Elkabetz and Cohen 2021"
STEP, EXAMPLES, SIZES = 0.1, 200, (64, 20, 20, 10)
FRACTIONS, QUICK_FRACTIONS = (1, 2, 5, 10, 20), (1, 2, 5)
SAMPLES, QUICK_SAMPLES = 200, 50
# Sums of identity, relu and tanh, so that one compiled program serves all three networks.
ACTIVATIONS = {"linear": (1.0, 0.0, 0.0), "relu": (0.0, 1.0, 0.0), "tanh": (0.0, 0.0, 1.0)}
SMOOTH = ("linear", "tanh")
TOLERANCE, LOOSE = 1e-4, flows.explicit(rtol=1e-6, atol=1e-9)
DEPTH, SCALES, QUICK_SCALES, EVERY = 3, (0.1, 0.05, 0.025, 0.0125), (0.1, 0.05, 0.025), 2
SADDLE, STARTS = (1.0, -0.5), {"beside": (1.0, 0.1), "on": (0.0, 0.1)}
SADDLE_STEP, SADDLE_STEPS, LATE = 0.025, 240, (4.0, 6.0)


class Network(eqx.Module):
    """x -> s(... s(x W_1) ...) W_d without biases, with s(x) = a x + b relu(x) + c tanh(x)."""

    mixture: Float[Array, " 3"]

    def __call__(self, params: list[Array], inputs: Float[Array, "examples inputs"]) -> Array:
        a, b, c = self.mixture
        for weight in params[:-1]:
            hidden = inputs @ weight
            inputs = a * hidden + b * jax.nn.relu(hidden) + c * jnp.tanh(hidden)
        return inputs @ params[-1]


def lowest_allowed(loss: Loss, params: list[Array]) -> Float[Array, ""]:
    """-(d - 1) |grad phi(W_1 ... W_d)| times the product of the d - 2 largest |W_j|, for a linear network.

    phi is the loss as a function of the product, norms are spectral: below it no eigenvalue of the Hessian can be.
    """
    product = params[0]
    for weight in params[1:]:
        product = product @ weight
    (slope,) = jax.grad(loss)([product])
    norms = jnp.sort(jnp.stack([jnp.linalg.norm(weight, 2) for weight in params]))
    return -(len(params) - 1) * jnp.linalg.norm(slope, 2) * jnp.prod(norms[2:])


def compute(folder: Path, *, quick: bool) -> list[Path]:
    """One netCDF file: distances and bounds of the networks, of the deep linear network, and at the saddle."""
    return stored(folder, "elkabetz_cohen_2021", quick=quick, computed=lambda: _computed(quick))


def _computed(quick: bool) -> xarray.Dataset:
    fractions, samples = (QUICK_FRACTIONS, QUICK_SAMPLES) if quick else (FRACTIONS, SAMPLES)
    scales = QUICK_SCALES if quick else SCALES
    parts = {
        "network": {name: _network(name, fractions, samples) for name in ACTIVATIONS},
        "scale": {scale: _deep_linear(scale, duration=2 / min(scales)) for scale in scales},
        "start": {name: _saddle(start) for name, start in STARTS.items()},
    }
    joined = [xarray.concat(list(rows.values()), dim).assign_coords({dim: list(rows)}) for dim, rows in parts.items()]
    return xarray.merge(joined)


def _network(name: str, fractions: tuple[int, ...], samples: int) -> xarray.Dataset:
    """One network at all step sizes, sampled at the steps of the largest one."""
    data = digits(EXAMPLES)
    loss = landscapes.DataLoss(
        Network(jnp.asarray(ACTIVATIONS[name])), landscapes.cross_entropy, data.inputs, data.one_hot()
    )
    layers = enumerate(pairwise(SIZES))
    start = [dense_layer(layer_stream(0, i), *sizes)["weight"] for i, sizes in layers]
    problem = landscapes.Problem(name, loss, start)
    runs = [_compared(problem, STEP / k, samples * k, k, integrator=LOOSE, keep_params=True) for k in fractions]
    paths = [_flat(run.discrete.params) for run, _ in runs]
    rows = {
        "loss": [run.discrete.observations["loss"] for run, _ in runs],
        "travelled": [np.linalg.norm(path - path[0], axis=1) for path in paths],
        "between": [np.linalg.norm(path - paths[-1], axis=1) for path in paths],
        "distance": [bound.distance for _, bound in runs],
        "bound": [bound.bound for _, bound in runs],
        "amplification": [bound.amplification for _, bound in runs],
    }
    found = {name: (("rate", "sample"), [_padded(row, samples + 1) for row in each]) for name, each in rows.items()}
    return xarray.Dataset(found, {"rate": [STEP / k for k in fractions], "time": ("sample", runs[0][0].discrete.times)})


def _deep_linear(scale: float, duration: float) -> xarray.Dataset:
    """From scale times orthogonal matrices, which are balanced, with one singular value, 1, to learn."""
    problem = landscapes.deep_linear(depth=DEPTH, width=4, singular_values=(1.0,), scale=scale)
    # A lambda would be another program for every scale.
    observe = {"allowed": jax.tree_util.Partial(lowest_allowed, problem.loss)}
    run, bound = _compared(problem, STEP, round(duration / STEP), EVERY, observe=observe)
    rows = {
        "distance": bound.distance,
        "bound": bound.bound,
        "amplification": bound.amplification,
        "lowest": -run.discrete.observations["growth_rate"],
        "allowed": run.discrete.observations["allowed"],
    }
    return xarray.Dataset(
        {f"deep_{name}": ("deep_sample", row) for name, row in rows.items()},
        {"deep_time": ("deep_sample", bound.times)},
    )


def _saddle(start: tuple[float, float]) -> xarray.Dataset:
    """L = (x^2 - y^2 / 2) / 2."""
    problem = landscapes.quadratic(eigenvalues=SADDLE, rotate=False)
    placed = landscapes.Problem(problem.name, problem.loss, jnp.asarray(start))
    _, bound = _compared(placed, SADDLE_STEP, SADDLE_STEPS, 1, lipschitz=0.0)
    rows = {"distance": bound.distance, "bound": bound.bound, "amplification": bound.amplification}
    return xarray.Dataset(
        {f"saddle_{name}": ("saddle_sample", row) for name, row in rows.items()},
        {"saddle_time": ("saddle_sample", bound.times)},
    )


def _compared(
    problem: landscapes.Problem,
    h: float,
    steps: int,
    every: int,
    *,
    lipschitz: float | None = None,
    observe: landscapes.Observables | None = None,
    **settings: Any,
) -> tuple[Comparison, DivergenceBound]:
    method = discrete.GradientDescent(h)
    flow = flows.GradientFlow(method)
    measured = comparisons.bound_instruments(flow, problem.loss, tolerance=TOLERANCE) | (observe or {})
    with progress_bar(title=f"{problem.name}, h = {h:g}: ") as show:
        run = comparisons.compare(
            method, {"flow": flow}, problem, steps=steps, every=every, observe=measured, progress=show, **settings
        )
    if run.interrupted:
        raise KeyboardInterrupt
    return run, comparisons.divergence_bound(run, "flow", lipschitz=lipschitz)


def _flat(params: Params) -> np.ndarray:
    return np.concatenate([np.reshape(leaf, (len(leaf), -1)) for leaf in params], axis=1)


def _padded(row: np.ndarray, length: int) -> np.ndarray:
    return np.pad(row, (0, length - len(row)), constant_values=np.nan)


def judge(data: list[xarray.Dataset]) -> list[Claim]:
    """Small distances of order 1, the bound, what it is worth, and where the amplification stays small or does not."""
    (found,) = data
    return [
        _small(found),
        _order(found, SMOOTH, "gradient descent is within O(h) of gradient flow"),
        _order(found, ("relu",), "the same for relu, whose gradient jumps"),
        _bounded(found),
        _bounded_relu(found),
        _worth(found),
        _allowed(found),
        _amplification(found),
        _beside(found),
        _attained(found),
    ]


def _small(found: xarray.Dataset) -> Claim:
    last = found.isel(sample=-1)
    apart = np.maximum(last.distance / last.travelled, last.between / last.travelled).isel(rate=0)
    return Claim(
        statement="gradient descent stays much nearer to gradient flow, and to smaller steps, than it travels",
        source=f"{PAPER}, section on experiments",
        quantity="larger of the two distances at the end, over the distance travelled; largest of three networks",
        predicted=(0.0, 0.02),
        because="the largest such ratio at the end of the paper's runs, 0.06 of 2.98 for relu",
        measured=float(apart.max(skipna=False)),
    )


def _order(found: xarray.Dataset, networks: tuple[str, ...], statement: str) -> Claim:
    slopes = {name: _slope(found, name) for name in networks}
    worst = max(slopes, key=lambda name: abs(slopes[name][0] - 1))
    return Claim(
        statement=statement,
        source=f"{PAPER}, theorem 3 and its corollary",
        quantity=f"slope of log distance at the end on log h; {worst}",
        predicted=(0.85, 1.15),
        because="separates neighbouring orders three times over",
        measured=slopes[worst][0],
        uncertainty=slopes[worst][1],
    )


def _slope(found: xarray.Dataset, network: str) -> tuple[float, float]:
    ends = found.distance.sel(network=network).isel(sample=-1).values
    return regression(found.rate.values, ends) if np.all(np.isfinite(ends)) else (np.nan, 0.0)


def _bounded(found: xarray.Dataset) -> Claim:
    smooth = found.sel(network=list(SMOOTH))
    shares = [
        _share(smooth.distance, smooth.bound),
        _share(found.deep_distance, found.deep_bound),
        _share(found.saddle_distance, found.saddle_bound),
    ]
    return Claim(
        statement="the distance is at most the integral of the local errors, each grown by exp(- int lambda_min)",
        source=f"{PAPER}, theorem 3",
        quantity="largest distance / bound: linear and tanh networks at all h, deep linear networks, saddle",
        predicted=(0.0, 1 + 1e-6),
        because="an inequality; on the axis of the saddle it is an equality up to the integration",
        measured=float(np.max(shares)),
    )


def _bounded_relu(found: xarray.Dataset) -> Claim:
    relu = found.sel(network="relu")
    return Claim(
        statement="it is the same for relu with the Hessian where there is one",
        source=f"{PAPER}, section on non-linear networks",
        quantity="largest distance / bound over all h",
        predicted=(0.0, 1 + 1e-6),
        because="an inequality; kinks could break it, as the Hessian does not see them",
        measured=_share(relu.distance, relu.bound),
    )


def _share(distance: xarray.DataArray, bound: xarray.DataArray) -> float:
    return float((distance / bound.where(distance > 0)).where(distance != 0, 0.0).max(skipna=False))


def _worth(found: xarray.Dataset) -> Claim:
    last = found.sel(network="linear").isel(sample=-1, rate=0)
    return Claim(
        statement="for linear networks the bound is small enough to say that gradient flow is followed",
        source=f"{PAPER}, sections on linear networks and on experiments",
        quantity="bound at the end over the distance travelled, linear network, largest h",
        predicted=(0.0, 0.25),
        because="at a quarter of the way the end of the flow is known to be nearer than the start, by far",
        measured=float(last.bound / last.travelled),
    )


def _allowed(found: xarray.Dataset) -> Claim:
    return Claim(
        statement="lambda_min >= -(d - 1) |grad phi| max prod |W_j| over d - 2 layers: near 0 from a small start",
        source=f"{PAPER}, section on linear networks",
        quantity="largest lambda_min over that (both negative), deep linear networks of all scales",
        predicted=(0.0, 1 + 1e-9),
        because="an inequality, up to rounding",
        measured=float((found.deep_lowest / found.deep_allowed).max(skipna=False)),
    )


def _amplification(found: xarray.Dataset) -> Claim:
    ends = found.deep_amplification.isel(deep_sample=-1)
    slope, width = regression(1 / found.scale.values, ends.values)
    return Claim(
        statement="from a small balanced start the bound grows by a power of 1/scale, not exponentially in time",
        source=f"{PAPER}, section on linear networks; the power derived here from w' = w^(d-1)",
        quantity=f"slope of log exp(- int lambda_min) at the end on log 1/scale, depth {DEPTH}",
        predicted=(DEPTH - 1 - 0.15, DEPTH - 1 + 0.15),
        because="separates neighbouring powers three times over",
        measured=slope,
        uncertainty=width,
    )


def _beside(found: xarray.Dataset) -> Claim:
    late = found.sel(start="beside")
    late = late.isel(saddle_sample=(late.saddle_time >= LATE[0]) & (late.saddle_time <= LATE[1] + 1e-9))
    shares = late.saddle_distance / late.saddle_bound
    return Claim(
        statement="at a saddle the bound grows exponentially, and beside its axis it overstates",
        source="derived here: distance over bound of GD on (x^2 - y^2/2)/2 from (1, 0.1) tends to 0.145 to 0.200",
        quantity=f"distance / bound at times {LATE[0]:g} to {LATE[1]:g}, h = {SADDLE_STEP:g}: middle, half of the span",
        predicted=(0.13, 0.20),
        because="the limit h -> 0 from t = 4 to 6, and 10 % for h",
        measured=float(shares.max() + shares.min()) / 2,
        uncertainty=float(shares.max() - shares.min()) / 2,
    )


def _attained(found: xarray.Dataset) -> Claim:
    last = found.sel(start="on").isel(saddle_sample=-1)
    return Claim(
        statement="the exponential growth cannot be avoided in general: on the axis of a saddle the bound is attained",
        source=f"{PAPER}, discussion of theorem 3",
        quantity=f"distance / bound at time {LATE[1]:g} from (0, 0.1)",
        predicted=(1 - 1e-6, 1 + 1e-6),
        because="one dimension, defects of one sign: an equality up to the integration",
        measured=float(last.saddle_distance / last.saddle_bound),
    )


def draw(data: list[xarray.Dataset]) -> Figure:
    """Loss and distances of the networks; order, amplification, and the saddle."""
    (found,) = data
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(3, 3, figsize=(6.8, 6.6), layout="constrained")
        for name, (above, below), letters in zip(ACTIVATIONS, axes[:2].T, ("ad", "be", "cf"), strict=True):
            one = found.sel(network=name)
            _draw_loss(above, one, f"({letters[0]}) {name} network")
            _draw_distances(below, one, f"({letters[1]}) {name} network")
        _draw_order(axes[2, 0], found)
        _draw_amplification(axes[2, 1], found)
        _draw_saddle(axes[2, 2], found)
        axes[0, 0].legend(fontsize="xx-small")
        axes[1, 0].legend(fontsize="xx-small")
    return figure


def _draw_loss(panel: Any, one: xarray.Dataset, title: str) -> None:
    for rate, colour, dashes in zip(one.rate.values, COLOURS, DASHES, strict=False):
        panel.semilogy(one.time, one.loss.sel(rate=rate), color=colour, linestyle=dashes, label=f"$h = {rate:g}$")
    panel.set(title=title, xlabel="time $t = h n$", ylabel="$L$")


def _draw_distances(panel: Any, one: xarray.Dataset, title: str) -> None:
    after = one.isel(sample=slice(1, None))
    panel.semilogy(after.time, after.travelled.isel(rate=0), color="black", label="from the start")
    for i, colour in zip((0, -2), COLOURS, strict=False):
        rate = f"$h = {float(one.rate[i]):g}$"
        panel.semilogy(after.time, after.distance.isel(rate=i), color=colour, label=f"to the flow, {rate}")
        panel.semilogy(after.time, after.bound.isel(rate=i), color=colour, linestyle=DASHES[1], label=f"bound, {rate}")
        panel.semilogy(after.time, after.between.isel(rate=i), color="0.5", linestyle=DASHES[2], zorder=3)
    panel.set(title=title, xlabel="time $t = h n$", ylabel="distance")


def _draw_order(panel: Any, found: xarray.Dataset) -> None:
    last = found.isel(sample=-1)
    for name, colour in zip(ACTIVATIONS, COLOURS, strict=False):
        one = last.sel(network=name)
        panel.loglog(found.rate, one.distance, "o-", markersize=3, color=colour, label=name)
        panel.loglog(found.rate, one.bound, "s", linestyle=DASHES[1], markersize=2.5, color=colour)
    panel.set(title="(g) at the end", xlabel="$h$", ylabel="distance and bound")
    panel.legend(fontsize="xx-small")


def _draw_amplification(panel: Any, found: xarray.Dataset) -> None:
    for scale, colour in zip(found.scale.values, COLOURS, strict=False):
        panel.semilogy(found.deep_time, found.deep_amplification.sel(scale=scale), color=colour, label=f"{scale:g}")
        panel.axhline(scale ** (1 - DEPTH), color=colour, linewidth=0.6, linestyle=":")
    panel.set(title="(h) amplification", xlabel="time", ylabel=r"$\exp(-\int \lambda_{\min} dt)$")
    panel.legend(title="start scale", fontsize="xx-small", title_fontsize="xx-small")


def _draw_saddle(panel: Any, found: xarray.Dataset) -> None:
    for start, colour in zip(STARTS, COLOURS, strict=False):
        one = found.sel(start=start).isel(saddle_sample=slice(1, None))
        panel.semilogy(one.saddle_time, one.saddle_distance, color=colour, label=f"{start} the axis")
        panel.semilogy(one.saddle_time, one.saddle_bound, color=colour, linestyle=DASHES[1])
    panel.set(title="(i) saddle", xlabel="time", ylabel="distance and bound")
    panel.legend(fontsize="xx-small")
