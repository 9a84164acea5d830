"""Smith, Dherin, Barrett and De 2021, "On the origin of implicit regularization in stochastic gradient descent": the
mean of an epoch over all its orders, and the flow that it follows.

The paper shows that with random reshuffling the mean iterate after an epoch of m batches follows the flow of
C + (h/(4m)) sum_k |grad C_k|^2 = C + (h/4) |grad C|^2 + (h/(4m)) sum_k |grad C_k - grad C|^2 up to O(m^3 h^3), and that
the last term grows like h/B for small batches of B examples.

Here nothing is sampled: 8 of scikit-learn's digits in m = 4 batches, all 4! orders of an epoch (and, as a control, all
4^4 sequences of independent draws) of a small tanh network; many epochs of a linear one, whose mean over independent
orders is exact from epoch to epoch; and all subsets of B examples for the variance of a batch's gradient.

Where they differ: the paper trains a Wide-ResNet on CIFAR-10 with large learning rates and compares test accuracies;
here the epoch is short, m h S well below 1, as its theorem asks.
"""

import dataclasses
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax
import xarray
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Int
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

import discrete
import flows
import landscapes
from comparisons.order import dopri8, regression
from comparisons.plot import COLOURS, DASHES, STYLE
from landscapes import DataLoss, Params

from .claim import Claim
from .stored import load as load, stored

PAPER = "Smith et al. 2021"
EXAMPLES, BATCHES, HIDDEN = 8, 4, 8
RATES = tuple(float(h) for h in np.geomspace(0.004, 0.0005, 7))
QUICK_RATES = tuple(float(h) for h in np.geomspace(0.004, 0.0005, 4))
EPOCHS, QUICK_EPOCHS = (40, 57, 80, 113, 160, 226, 320), (40, 57, 80, 113)
DURATION = 0.5
SHOWN_RATE = 0.02
SIZES = (1, 2, 3, 4, 6)
SAMPLINGS = {
    "reshuffled": list(itertools.permutations(range(BATCHES))),
    "independent": list(itertools.product(range(BATCHES), repeat=BATCHES)),
}
# Coefficients of |grad C|^2 and of the variance of the batches' gradients, in units of h/4.
MODELS = {"gradient flow": (0.0, 0.0), "full batch": (1.0, 0.0), "Smith": (1.0, 1.0)}


class Batches(eqx.Module):
    """C_k for k = 0, ..., m - 1: a loss on the k-th of m equal parts of its data; their mean is the loss itself."""

    loss: DataLoss
    count: int = eqx.field(static=True)

    def __call__(self, params: Params, k: Int[Array, ""]) -> Float[Array, ""]:
        parts = [data.reshape(self.count, -1, data.shape[-1])[k] for data in (self.loss.inputs, self.loss.targets)]
        return dataclasses.replace(self.loss, inputs=parts[0], targets=parts[1])(params)


class MiniBatchLoss(eqx.Module):
    """C + (h/4) (a |grad C|^2 + b mean_k |grad C_k - grad C|^2).

    weights: (a, b); (1, 1) is the loss of Smith et al. 2021, and for one batch that of Barrett and Dherin 2021.
    """

    batches: Batches
    rate: Float[Array, ""]
    weights: Float[Array, " 2"]

    def __call__(self, params: Params) -> Float[Array, ""]:
        gradients = jax.vmap(lambda k: jax.grad(self.batches)(params, k))(jnp.arange(self.batches.count))
        mean = jax.tree.map(lambda g: g.mean(axis=0), gradients)
        apart = jax.tree.map(jnp.subtract, gradients, mean)
        variance = optax.tree.norm(apart, squared=True) / self.batches.count
        penalty = self.weights @ jnp.stack([optax.tree.norm(mean, squared=True), variance])
        return self.batches.loss(params) + self.rate / 4 * penalty


def compute(folder: Path, *, quick: bool) -> list[Path]:
    """One netCDF file: distances of mean iterates to the flows, ends of all orders, variances of batches."""
    rates, epochs = (QUICK_RATES, QUICK_EPOCHS) if quick else (RATES, EPOCHS)
    return stored(folder, "smith_2021", quick=quick, computed=lambda: _computed(rates, epochs))


def _computed(rates: Sequence[float], epochs: Sequence[int]) -> xarray.Dataset:
    loss, start = _problem((HIDDEN,))
    linear, linear_start = _problem(())
    batches = Batches(loss, BATCHES)
    means = np.array([[_ends(batches, start, kind, h).mean(axis=0) for h in rates] for kind in SAMPLINGS])
    models = np.array([[_flow_end(batches, start, weights, h, BATCHES) for h in rates] for weights in MODELS.values()])
    long_rates = [DURATION / (BATCHES * n) for n in epochs]
    return xarray.Dataset(
        {
            "error": (("sampling", "model", "rate"), np.linalg.norm(means[:, None] - models, axis=-1)),
            "long_error": (("model", "long_rate"), _long_errors(Batches(linear, BATCHES), linear_start, epochs)),
            "coefficient": (("sampling", "rate"), _coefficients(means, models)),
            "one_batch": ((), _one_batch(loss, start)),
            **_cloud(batches, start),
            **_variances(Batches(loss, EXAMPLES), start),
        },
        coords={
            "sampling": list(SAMPLINGS),
            "model": list(MODELS),
            "rate": list(rates),
            "long_rate": long_rates,
            "size": list(SIZES),
        },
    )


def _problem(widths: tuple[int, ...]) -> tuple[DataLoss, Params]:
    problem = landscapes.digits_mlp(widths=widths, examples=EXAMPLES)
    assert isinstance(problem.loss, DataLoss)
    return problem.loss, problem.params


@eqx.filter_jit
def epoch(batches: Batches, params: Params, order: Int[Array, " steps"], rate: Float[Array, ""]) -> Params:
    """A step of gradient descent on each batch of the order."""

    def step(w: Params, k: Array) -> tuple[Params, None]:
        return jax.tree.map(lambda x, g: x - rate * g, w, jax.grad(batches)(w, k)), None

    return jax.lax.scan(step, params, order)[0]


def flat(params: Params) -> Float[Array, " n"]:
    """All parameters in one vector."""
    return ravel_pytree(params)[0]


@eqx.filter_jit
def _all_ends(batches: Batches, params: Params, orders: Array, rate: Array) -> Array:
    return jax.vmap(lambda order: flat(epoch(batches, params, order, rate)))(orders)


def _ends(batches: Batches, params: Params, sampling: str, rate: float) -> np.ndarray:
    """(order, parameter): where an epoch ends, for all its orders."""
    return np.asarray(_all_ends(batches, params, jnp.asarray(SAMPLINGS[sampling]), jnp.asarray(rate)))


def _flow_end(batches: Batches, params: Params, weights: tuple[float, float], rate: float, steps: int) -> np.ndarray:
    flow = flows.GradientFlow(discrete.GradientDescent(rate))
    loss = MiniBatchLoss(batches, jnp.asarray(rate), jnp.asarray(weights))
    solution = flows.solve(flow, loss, params, steps=steps, every=steps, integrator=dopri8(1e-12))
    return np.asarray(flat(solution.final_params))


@eqx.filter_jit
def _mean_after(batches: Batches, params: Params, orders: Array, rate: Array, epochs: Array) -> Array:
    """The mean over independent orders of all epochs of a linear model: an epoch is affine, so means suffice."""

    def one(_: Any, mean: Params) -> Params:
        ends = jax.vmap(lambda order: epoch(batches, mean, order, rate))(orders)
        return jax.tree.map(lambda leaf: leaf.mean(axis=0), ends)

    return flat(jax.lax.fori_loop(0, epochs, one, params))


def _long_errors(batches: Batches, params: Params, epochs: Sequence[int]) -> np.ndarray:
    orders, rows = jnp.asarray(SAMPLINGS["reshuffled"]), []
    for n in epochs:
        rate = DURATION / (BATCHES * n)
        mean = np.asarray(_mean_after(batches, params, orders, jnp.asarray(rate), jnp.asarray(n)))
        ends = [_flow_end(batches, params, weights, rate, BATCHES * n) for weights in MODELS.values()]
        rows.append([np.linalg.norm(mean - end) for end in ends])
    return np.array(rows).T


def _coefficients(means: np.ndarray, models: np.ndarray) -> np.ndarray:
    """(sampling, rate): c of h mean_k |grad C_k - grad C|^2, beside (h/4) |grad C|^2, that fits the mean best."""
    _, without, smith = models
    effect = (smith - without) / 0.25
    return np.sum((means - without) * effect, axis=-1) / np.sum(effect**2, axis=-1)


def _one_batch(loss: DataLoss, params: Params) -> float:
    """Relative distance, in the gradient, of the loss of one batch to the modified loss of gradient descent."""
    rate = SHOWN_RATE
    whole = MiniBatchLoss(Batches(loss, 1), jnp.asarray(rate), jnp.ones(2))
    modified = flows.modified_loss(discrete.GradientDescent(rate), loss)
    first, second = (np.asarray(flat(jax.jit(jax.grad(one))(params))) for one in (whole, modified))
    return float(np.linalg.norm(first - second) / np.linalg.norm(second))


def _cloud(batches: Batches, params: Params) -> dict[str, Any]:
    """Ends of one epoch from the flow of Smith's loss, in units of the variance term's effect: along it, and across."""
    ends = _ends(batches, params, "reshuffled", SHOWN_RATE)
    models = np.array([_flow_end(batches, params, weights, SHOWN_RATE, BATCHES) for weights in MODELS.values()])
    effect = models[2] - models[1]
    along = effect / np.linalg.norm(effect)
    across = (ends - ends.mean(axis=0)) @ (np.eye(len(along)) - np.outer(along, along))
    plane = np.stack([along, np.linalg.svd(across)[2][0]], axis=1) / np.linalg.norm(effect)
    return {
        "order_end": (("order", "component"), (ends - models[2]) @ plane),
        "model_end": (("model", "component"), (models - models[2]) @ plane),
    }


def _variances(single: Batches, params: Params) -> dict[str, Any]:
    """Mean of |grad C_B - grad C|^2 over all batches of B examples, and of single examples."""
    gradients = np.asarray(jax.jit(jax.vmap(lambda k: flat(jax.grad(single)(params, k))))(jnp.arange(EXAMPLES)))
    apart = gradients - gradients.mean(axis=0)
    means = [[apart[list(chosen)].mean(axis=0) for chosen in itertools.combinations(range(EXAMPLES), n)] for n in SIZES]
    return {
        "variance": (("size",), [np.mean(np.sum(np.square(rows), axis=1)) for rows in means]),
        "single_variance": ((), np.mean(np.sum(apart**2, axis=1))),
    }


def judge(data: list[xarray.Dataset]) -> list[Claim]:
    """Orders after an epoch and after many, the control with independent draws, the coefficient, m = 1 and h/B."""
    (found,) = data
    mean, other = "the mean over all orders of an epoch", "control: with independent draws the mean"
    return [
        _order(found, "reshuffled", "Smith", 3, f"{mean} follows the flow of Smith's loss to O(m^3 h^3)"),
        _order(found, "reshuffled", "gradient flow", 2, f"{mean} follows gradient flow to O(h^2) only"),
        _order(found, "reshuffled", "full batch", 2, f"{mean} follows the flow of C + (h/4) |grad C|^2 to O(h^2) only"),
        _order(found, "independent", "full batch", 3, f"{other} follows the flow of C + (h/4) |grad C|^2 to O(h^3)"),
        _order(found, "independent", "Smith", 2, f"{other} follows that of Smith's loss to O(h^2) only"),
        _long_order(found, "Smith", 2, "over many epochs the mean follows the flow of Smith's loss to O(h^2)"),
        _long_order(found, "full batch", 1, "and the flow without the variance of the batches to O(h) only"),
        _coefficient(found, "reshuffled", 0.25, "the variance of the batches' gradients enters with h/4"),
        _coefficient(found, "independent", 0.0, "control: with independent draws it does not enter"),
        _reduction(found),
        _batch_size(found),
    ]


def _order(found: xarray.Dataset, sampling: str, model: str, claimed: int, statement: str) -> Claim:
    slope, confidence = regression(found.rate.values, found.error.sel(sampling=sampling, model=model).values)
    return Claim(
        statement=statement,
        source=f"{PAPER}, the theorem on one epoch" if sampling == "reshuffled" else "derived here",
        quantity=f"slope of log error on log h after {BATCHES} steps",
        predicted=(claimed - 0.15, claimed + 0.15),
        because="separates neighbouring orders three times over",
        measured=slope,
        uncertainty=confidence,
    )


def _long_order(found: xarray.Dataset, model: str, claimed: int, statement: str) -> Claim:
    slope, confidence = regression(found.long_rate.values, found.long_error.sel(model=model).values)
    return Claim(
        statement=statement,
        source=f"{PAPER}, the theorem on one epoch, summed over T/(m h) epochs; linear model",
        quantity=f"slope of log error on log h at time {DURATION:g}",
        predicted=(claimed - 0.15, claimed + 0.15),
        because="separates neighbouring orders three times over",
        measured=slope,
        uncertainty=confidence,
    )


def _coefficient(found: xarray.Dataset, sampling: str, expected: float, statement: str) -> Claim:
    rows = found.coefficient.sel(sampling=sampling).values
    (*_, limit), covariance = np.polyfit(found.rate, rows, 1, cov=True)
    return Claim(
        statement=statement,
        source=f"{PAPER}, the modified loss" if expected else "derived here",
        quantity="c of h mean |grad C_k - grad C|^2 that fits the mean best, extrapolated to h = 0",
        predicted=(expected - 0.0075, expected + 0.0075),
        because="3 % of 1/4: m h S starts at 0.17, and the extrapolation leaves its square",
        measured=float(limit),
        uncertainty=float(2 * np.sqrt(covariance[1, 1])),
    )


def _reduction(found: xarray.Dataset) -> Claim:
    return Claim(
        statement="for one batch the loss is that of full-batch gradient descent",
        source=f"{PAPER}, the modified loss; Barrett and Dherin 2021",
        quantity="relative distance of the two gradients",
        predicted=(0.0, 1e-12),
        because="an identity: rounding",
        measured=float(found.one_batch),
    )


def expected_variance(found: xarray.Dataset) -> np.ndarray:
    """(N - B)/(N - 1) V/B, with V the variance of single examples: sampling without replacement."""
    return ((EXAMPLES - found["size"]) / (EXAMPLES - 1) / found["size"] * found.single_variance).values


def _batch_size(found: xarray.Dataset) -> Claim:
    return Claim(
        statement="the regularization by the variance scales like h/B, times (N - B)/(N - 1)",
        source=f"{PAPER}, on the batch size",
        quantity="largest relative distance of the mean over all batches of B examples to it, B = 1 to 6 of 8",
        predicted=(0.0, 1e-12),
        because="an identity: rounding",
        measured=float(np.max(np.abs(found.variance.values / expected_variance(found) - 1))),
    )


def draw(data: list[xarray.Dataset]) -> Figure:
    """Ends of all orders, errors with both samplings and over many epochs, the coefficient, the batch size."""
    (found,) = data
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(2, 3, figsize=(6.8, 4.6), layout="constrained")
        _draw_cloud(axes[0, 0], found)
        after = "distance after an epoch"
        _draw_errors(axes[0, 1], found.rate, found.error.sel(sampling="reshuffled"), "(b) reshuffled", after)
        _draw_errors(axes[0, 2], found.rate, found.error.sel(sampling="independent"), "(c) independent draws", after)
        title = f"(d) many epochs, $t = {DURATION:g}$"
        _draw_errors(axes[1, 0], found.long_rate, found.long_error, title, "distance")
        _draw_coefficient(axes[1, 1], found)
        _draw_batch_size(axes[1, 2], found)
    return figure


def _draw_cloud(panel: Any, found: xarray.Dataset) -> None:
    panel.plot(*found.order_end.values.T, "o", color="0.75", markersize=3, label="24 orders")
    panel.plot(*found.order_end.values.mean(axis=0), "k+", markersize=9, label="their mean")
    for (name, end), colour, marker in zip(
        zip(MODELS, found.model_end.values, strict=True), COLOURS, "s^o", strict=False
    ):
        panel.plot(*end, marker, color=colour, markersize=4, markerfacecolor="none", label=name)
    panel.set(title=f"(a) one epoch, $h = {SHOWN_RATE:g}$", xlabel="along the variance term", ylabel="across it")
    panel.legend(fontsize="xx-small")


def _draw_errors(panel: Any, rates: xarray.DataArray, errors: xarray.DataArray, title: str, label: str) -> None:
    for model, colour, marker in zip(MODELS, COLOURS, "s^o", strict=False):
        row = errors.sel(model=model)
        slope, _ = regression(rates.values, row.values)
        name = f"{model}: {slope:.2f}"
        panel.loglog(rates, row, marker=marker, markersize=3, linewidth=0.9, color=colour, label=name)
    low, high = panel.get_ylim()
    panel.set(title=title, xlabel="$h$", ylabel=label, ylim=(low, high * (high / low) ** 0.4))
    ends = rates.values[[0, -1]]
    panel.set_xticks(ends, [f"{h:.2g}" for h in ends])
    panel.xaxis.set_minor_locator(NullLocator())
    panel.legend(fontsize="xx-small", loc="upper left", title="flow: slope", title_fontsize="xx-small")


def _draw_coefficient(panel: Any, found: xarray.Dataset) -> None:
    for sampling, colour, dashes in zip(SAMPLINGS, COLOURS, DASHES, strict=False):
        row = found.coefficient.sel(sampling=sampling)
        panel.plot(found.rate, row, "o", color=colour, markersize=3, linestyle=dashes, label=sampling)
    for expected in (0.0, 0.25):
        panel.axhline(expected, color="0.6", linewidth=0.8, zorder=0)
    panel.set(
        title="(e) the variance term",
        xlabel="$h$",
        ylabel=r"$c$ in $c\,h\,$mean$_k|\nabla C_k - \nabla C|^2$",
    )
    panel.set(xlim=(0, None), ylim=(-0.05, 0.3))
    panel.legend(fontsize="xx-small", loc="center right")


def _draw_batch_size(panel: Any, found: xarray.Dataset) -> None:
    sizes, single = found["size"].values, float(found.single_variance)
    panel.loglog(sizes, expected_variance(found), color=COLOURS[0], label=r"$V (N - B) / ((N - 1) B)$")
    panel.loglog(sizes, single / sizes, color="0.6", linestyle=DASHES[1], label="$V / B$")
    panel.loglog(sizes, found.variance, "o", color=COLOURS[1], markersize=4, label="all batches")
    panel.set(
        title="(f) variance of a batch", xlabel="examples in a batch, $B$", ylabel=r"mean $|\nabla C_B - \nabla C|^2$"
    )
    panel.set_xticks(sizes, [str(n) for n in sizes])
    panel.xaxis.set_minor_locator(NullLocator())
    panel.legend(fontsize="xx-small", loc="lower left")
