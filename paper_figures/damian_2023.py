"""Damian, Nichani and Lee 2023, "Self-stabilization: the implicit bias of gradient descent at the edge of stability":
gradient descent past the edge beside its constrained trajectory and the displacement predicted from it.

The paper expands the loss to third order around a trajectory held at sharpness 2/h, gets a map for the displacement x
along the top eigenvector and the excess y of the sharpness, and shows networks on CIFAR-10 and SST-2 that follow it.

Here the map is run beside gradient descent on L = (2/h + y) x^2/2 - a y, where it is exact, and the full prediction
beside a small tanh network on scikit-learn's digits, square loss, while one direction is critical.

The paper follows many networks over whole trainings. Here it is one, once started within the edge and once before it,
where the first burst grows from the rounding of the iterates; what the prediction misses is counted in loops.
"""

from pathlib import Path
from typing import Any, Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import xarray
from jax.flatten_util import ravel_pytree
from jaxtyping import Array
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter

import discrete
import flows
import landscapes
from comparisons.plot import COLOURS, DASHES, STYLE
from comparisons.progress_bar import progress_bar
from landscapes import Loss, Params

from . import reduced_map
from .claim import Claim
from .stored import load as load, stored

PAPER = "Damian, Nichani and Lee 2023"
BLOCK, EVERY = 60, 10
BEFORE, WITHIN = "before the edge", "within the edge"
MODELS = ["constrained trajectory", "gradient flow"]
SAID = ("predicted_x", "predicted_y")


class Size(NamedTuple):
    """A network, h, the step of its run at which each comparison begins, the maps compared, and for how many steps."""

    widths: tuple[int, ...]
    examples: int
    rate: float
    begins: dict[str, int]
    displacements: tuple[Literal["published", "cubic"], ...]
    steps: int
    sharpness: bool


FULL = Size((20, 20), 300, 0.15, {BEFORE: 100, WITHIN: 700}, ("published", "cubic"), 900, True)
QUICK = Size((12, 12), 100, 0.2, {WITHIN: 620}, ("published",), 480, False)


def compute(folder: Path, *, quick: bool) -> list[Path]:
    """One netCDF file: loops of the toy for four learning rates, and the runs of the network."""
    return stored(folder, "damian_2023", quick=quick, computed=lambda: _computed(QUICK if quick else FULL))


def _computed(size: Size) -> xarray.Dataset:
    problem = landscapes.digits_mlp(widths=size.widths, examples=size.examples)
    method = discrete.GradientDescent(size.rate)
    path = discrete.run(method, problem.loss, problem.params, steps=max(size.begins.values()) + 1, keep_params=True)
    runs = [_network(size, problem, method, path.params, name) for name in size.begins]
    found = xarray.concat(runs, "run").assign_coords(run=list(size.begins)).assign_attrs(learning_rate=size.rate)
    return found.assign(reduced_map.loops())


def _network(size: Size, problem: Any, method: discrete.GradientDescent, path: Params, name: str) -> xarray.Dataset:
    """Iterates, constrained trajectory, prediction and gradient flow from a step of a run on."""
    around = (size.begins[name] + i for i in (-1, 0, 1))
    before, start, after = (jax.tree.map(lambda leaf, n=n: jnp.asarray(leaf[n]), path) for n in around)
    # Within the edge the run alternates already; before it nothing does.
    swing = jax.tree.map(lambda x, y, z: (2 * y - x - z) / 4, before, start, after) if name == WITHIN else None
    state = eqx.filter_jit(flows.SelfStabilization(method, swing=swing).init)(problem.loss, start)
    told: dict[str, dict[str, np.ndarray]] = {}
    with progress_bar(title=f"{name}: ") as show:
        for i, displacement in enumerate(size.displacements):
            carry, blocks = (before, start, state, jnp.asarray(0)), []
            for done in range(0, size.steps, BLOCK):
                show(i * size.steps + done, len(size.displacements) * size.steps)
                carry, rows = _block(flows.SelfStabilization(method, displacement), problem.loss, carry)
                blocks.append(rows)
            told[displacement] = jax.tree.map(lambda *parts: np.concatenate(parts), *blocks)
    first = told[size.displacements[0]]
    steps: dict[str, Any] = {"steps": size.steps - EVERY, "every": EVERY}
    tolerance = flows.explicit(rtol=1e-6, atol=1e-10)
    flow = flows.solve(
        flows.GradientFlow(method),
        problem.loss,
        start,
        observe={"loss": problem.loss},
        integrator=tolerance,
        keep_params=True,
        **steps,
    )
    averaged, constrained = (first.pop(key)[::EVERY] for key in ("averaged", "constrained"))
    found: dict[str, Any] = {key: ("step", rows) for key, rows in first.items() if key not in SAID}
    found |= {key: (("displacement", "step"), [rows[key] for rows in told.values()]) for key in SAID}
    apart = [np.linalg.norm(rows - averaged, axis=1) for rows in (constrained, flow.path)]
    found |= {"distance": (("model", "sample"), apart), "flow_loss": ("sample", flow.observations["loss"])}
    if size.sharpness:
        observe = {"sharpness": landscapes.Sharpness(problem.loss)}
        run = discrete.run(discrete.TimeAveraged(method), problem.loss, start, observe=observe, **steps)
        found["sharpness"] = ("sample", run.observations["sharpness"][:, 0])
    return xarray.Dataset(
        found, coords={"displacement": list(size.displacements), "model": MODELS, "sample": flow.steps}
    )


@eqx.filter_jit
def _block(flow: flows.SelfStabilization, loss: Loss, carry: Any) -> tuple[Any, dict[str, Array]]:
    """Iterates and prediction over some steps, in the coordinates of the constrained trajectory; NaN once it failed."""

    def one(carry: Any, _: None) -> tuple[Any, dict[str, Array]]:
        before, now, state, failed = carry
        local, told = state.local, flow.predictions(loss, state)
        constrained = ravel_pytree(state.constrained)[0]
        away = ravel_pytree(now)[0] - constrained
        after, _ = flow.method.step(jax.grad(loss), now, flow.method.init(now))
        rows = {
            "loss": loss(now),
            "x": local.direction @ away,
            "y": local.bend @ away,
            "predicted_x": told["displacement"],
            "predicted_y": told["sharpness"] - local.sharpness,
            "averaged": ravel_pytree(jax.tree.map(lambda x, y, z: (x + 2 * y + z) / 4, before, now, after))[0],
            "constrained": constrained,
            "constrained_loss": loss(state.constrained),
            "constrained_sharpness": local.sharpness,
            "second": local.second,
            "alpha": -local.gradient @ local.bend,
            "beta": local.bend @ local.bend,
        }
        rows = jax.tree.map(lambda row: jnp.where(failed > 0, jnp.nan, row), rows)
        state, failure = flow.step(loss, state)
        return (now, after, state, jnp.maximum(failed, failure)), rows

    return jax.lax.scan(one, carry, length=BLOCK)


def judge(data: list[xarray.Dataset]) -> list[Claim]:
    """The map and its loops on the toy; constrained trajectory, averages and timing on the network."""
    (found,) = data
    claims = reduced_map.judge(found)
    claims += [_held(found), _descends(found), _closer(found), _gap(found), _square(found)]
    within = found.sel(run=WITHIN)
    claims.append(_timing(within, "published", "the first burst from within the edge comes when predicted", 0))
    claims.append(_timing(within, "published", "and so do those that follow", -1))
    if BEFORE in found.run:
        claims.append(_timing(found.sel(run=BEFORE), "published", "so does the first burst of a run from before it", 0))
    return claims


def _held(found: xarray.Dataset) -> Claim:
    return Claim(
        statement="the constrained trajectory has sharpness at most 2/h",
        source=f"{PAPER}, the definition of the constrained trajectory",
        quantity="largest S h/2 - 1 along it, over all runs",
        predicted=(-1.0, 1e-6),
        because="three linearized projections a step leave less",
        measured=float(found.constrained_sharpness.max() * found.attrs["learning_rate"] / 2 - 1),
    )


def _descends(found: xarray.Dataset) -> Claim:
    loss = found.constrained_loss
    return Claim(
        statement="its loss decreases in every step",
        source=f"{PAPER}, descent lemma of the constrained trajectory",
        quantity="largest relative increase of the loss in a step, over all runs",
        predicted=(-1.0, 0.0),
        because="it is a sign",
        measured=float((loss.diff("step") / loss.isel(step=slice(None, -1)).values).max()),
    )


def _closer(found: xarray.Dataset) -> Claim:
    ends = found.distance.isel(sample=slice(-10, None)).mean("sample")
    ratio = ends.sel(model=MODELS[0]) / ends.sel(model=MODELS[1])
    return Claim(
        statement="gradient descent follows the constrained trajectory, not gradient flow",
        source=f"{PAPER}, the abstract and the experiments",
        quantity="distance to the averaged iterates at the end, over that of gradient flow; largest of the runs",
        predicted=(0.0, 0.25),
        because="a quarter tells following from lagging; the displacement itself is part of the distance",
        measured=float(ratio.max()),
    )


def _averages(found: xarray.Dataset) -> tuple[float, float, float]:
    """Within the edge: means of L(x_n) - L of the constrained trajectory, of x^2/h, and of d^2/h."""
    here, h = found.sel(run=WITHIN), found.attrs["learning_rate"]
    rows = (here.loss - here.constrained_loss, here.x**2 / h, 2 * here.alpha / here.beta / h)
    gap, square, predicted = (float(row.mean()) for row in rows)
    return gap, square, predicted


def _gap(found: xarray.Dataset) -> Claim:
    gap, square, _ = _averages(found)
    return Claim(
        statement="the loss is that of the constrained trajectory plus x^2/h",
        source=f"{PAPER}, theorem on the coupling and its prediction of the loss",
        quantity="time averages within the edge: loss above the constrained one, over x^2/h",
        predicted=(0.9, 1.1),
        because="the next terms of the expansion, y x^2/2 and the slow part of the displacement, are of some percent",
        measured=gap / square,
    )


def _square(found: xarray.Dataset) -> Claim:
    _, square, predicted = _averages(found)
    return Claim(
        statement="the oscillation has the size that holds the sharpness: x^2 is d^2 = 2 a/b on average",
        source=f"{PAPER}, the section on the cubic expansion",
        quantity="time average of x^2 within the edge, over that of 2 a/b along the constrained trajectory",
        predicted=(0.9, 1.1),
        because="over two or more loops y returns to where it was up to a tenth of h b d^2/2 times their steps",
        measured=square / predicted,
    )


def bursts(y: np.ndarray) -> np.ndarray:
    """Steps at which the excess of the sharpness falls through 0, as it does at the height of each burst."""
    return np.flatnonzero((y[:-1] > 0) & (y[1:] <= 0))


def _timing(run: xarray.Dataset, displacement: str, statement: str, which: int) -> Claim:
    seen, said = bursts(run.y.values), bursts(run.predicted_y.sel(displacement=displacement).values)
    seen, said = seen[: len(said)], said[: len(seen)]
    lag = (said[which] - seen[which]) / np.diff(seen).mean() if len(seen) > 1 else np.nan
    return Claim(
        statement=statement,
        source=f"{PAPER}, figures of the experiments: the predicted dynamics track the iterates",
        quantity=f"lag of the prediction at burst {which % max(len(seen), 1) + 1}, in loops",
        predicted=(-0.25, 0.25),
        because="a quarter of a loop is where two oscillations are out of step",
        measured=float(lag),
    )


def draw(data: list[xarray.Dataset]) -> Figure:
    """The toy and the distances; below, for each run of the network, displacement, sharpness and loss."""
    (found,) = data
    rows = 1 + found.sizes["run"]
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(rows, 3, figsize=(6.8, 2.1 * rows + 0.4), layout="constrained")
        reduced_map.draw_plane(axes[0, 0], found)
        reduced_map.draw_energy(axes[0, 1], found)
        _draw_distance(axes[0, 2], found)
        for panels, name in zip(axes[1:], found.run.values[::-1], strict=True):
            _draw_run(panels, found.sel(run=name), str(name))
        for panel, letter in zip(axes.flat, "abcdefghi", strict=False):
            panel.set_title(f"({letter}) {panel.get_title()}")
        shared = {
            text: line for panel in axes[1] for line, text in zip(*panel.get_legend_handles_labels(), strict=True)
        }
        figure.legend(shared.values(), shared, loc="outside lower center", ncols=4, fontsize="x-small")
    return figure


def _draw_distance(panel: Any, found: xarray.Dataset) -> None:
    for model, colour in zip(MODELS, (COLOURS[2], COLOURS[4]), strict=True):
        for name, dashes in zip(found.run.values[::-1], DASHES, strict=False):
            row = found.distance.sel(run=name, model=model)[1:]
            panel.semilogy(row.sample, row, color=colour, linestyle=dashes, linewidth=1.0)
    for name, dashes in zip(found.run.values[::-1], DASHES, strict=False):
        panel.plot([], [], color="0.4", linestyle=dashes, linewidth=1.0, label=f"from {name}")
    panel.set(title="distance", xlabel="step of the run", ylabel="$|X - m_n|$")
    panel.legend(fontsize="xx-small", loc="lower right")


def _draw_run(panels: Any, here: xarray.Dataset, name: str) -> None:
    size, excess, loss = panels
    h, steps = here.attrs["learning_rate"], np.arange(here.sizes["step"])
    iterates = {"color": "0.7", "linewidth": 2.0, "label": "gradient descent"}
    size.plot(steps, np.abs(here.x), **iterates)
    delta = np.sqrt(2 * np.maximum(here.alpha, 0) / here.beta)
    size.plot(steps, delta, color="black", linewidth=0.8, linestyle=DASHES[1], label=r"$\delta$")
    excess.plot(steps, (here.constrained_sharpness + here.y) * h / 2, **iterates)
    if "sharpness" in here:
        style = {"color": "black", "linewidth": 0.9, "linestyle": ":", "label": "top eigenvalue at $m_n$"}
        excess.plot(here.sample[1:], here.sharpness[1:] * h / 2, **style)
    loss.semilogy(steps, here.loss, **iterates)
    loss.semilogy(steps, here.constrained_loss, color=COLOURS[2], linewidth=0.9, label="constrained trajectory")
    loss.semilogy(
        here.sample, here.flow_loss, color=COLOURS[4], linewidth=0.9, linestyle=DASHES[2], label="gradient flow"
    )
    for displacement, colour, dashes in zip(here.displacement.values, COLOURS, DASHES, strict=False):
        x, y = (here[key].sel(displacement=displacement) for key in SAID)
        style = {"color": colour, "linestyle": dashes, "linewidth": 0.9, "label": f"predicted, {displacement} map"}
        size.plot(steps, np.abs(x), **style)
        excess.plot(steps, (here.constrained_sharpness + y) * h / 2, **style)
        loss.semilogy(steps, here.constrained_loss + x**2 / h, **style)
    size.set(title=f"displacement, from {name}", xlabel="step of the run", ylabel="$|x|$")
    excess.set(title=f"sharpness, from {name}", xlabel="step of the run", ylabel="$S h / 2$")
    loss.set(title=f"loss, from {name}", xlabel="step of the run", ylabel="$L$")
    loss.yaxis.set_major_formatter(FormatStrFormatter("%.2f"))
    loss.yaxis.set_minor_formatter(FormatStrFormatter("%.2f"))
