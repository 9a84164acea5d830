"""Cohen, Damian, Talwalkar, Kolter and Lee 2025, "Understanding optimization in deep learning with central flows":
the central flow beside gradient descent, scalar RMSProp and RMSProp.

The paper derives, for each method, a flow of the iterates averaged over their oscillation, with the covariance that the
oscillation must have, and shows on CNNs, ResNets, transformers and MLPs that both predict full-batch training.

Here the three methods train a 64-20-20-10 tanh network on 300 of scikit-learn's digits, square loss, each beside its
central flow and its stable flow, which knows of no oscillation.

The networks here are a thousand times smaller and the runs shorter. The adaptive methods have bias correction, which
the paper's have not, and are followed from where they have taken their first steps, which no flow describes.
"""

from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import xarray
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float
from matplotlib.figure import Figure

import comparisons
import discrete
import flows
import landscapes
from comparisons.plot import COLOURS, DASHES, STYLE
from comparisons.progress_bar import progress_bar
from landscapes import Loss, Params

from .claim import Claim
from .stored import load as load, stored

PAPER = "Cohen, Damian et al. 2025"
EVERY, CRITICAL = 20, 5
CENTRAL, STABLE = "central", "stable"


class Case(NamedTuple):
    """A method, its first steps, which no flow follows, for how many it is followed then, and the network."""

    method: discrete.Method
    warm_up: int
    steps: int
    widths: tuple[int, ...] = (20, 20)
    examples: int = 300


CASES = {
    "gradient descent": Case(discrete.GradientDescent(0.15), 100, 3000),
    "scalar RMSProp": Case(discrete.ScalarRMSProp(0.02, 0.95, bias_correction=True), 40, 1000),
    "RMSProp": Case(discrete.RMSProp(0.0005, 0.99, bias_correction=True), 100, 1000),
}
# Compilation is most of it: one method, from within the edge.
QUICK_CASES = {"gradient descent": Case(discrete.GradientDescent(0.2), 620, 600, (12, 12), 100)}


def compute(folder: Path, *, quick: bool) -> list[Path]:
    """One netCDF file for each method."""
    paths = []
    for name, case in (QUICK_CASES if quick else CASES).items():
        stem = f"cohen_damian_2025_{name.replace(' ', '_').lower()}"
        paths += stored(folder, stem, quick=quick, computed=lambda name=name, case=case: _computed(name, case))
    return paths


class Preconditioner(landscapes.PreconditionedObservable):
    """P of the run, flattened."""

    def init(self, params: Params) -> tuple[()]:
        return ()

    def measure(self, params: Params, carry: Any, preconditioner: Any) -> tuple[Array, Any]:
        scale = jax.tree.broadcast(preconditioner, params)
        return ravel_pytree(jax.tree.map(lambda p, x: jnp.broadcast_to(p, x.shape), scale, params))[0], carry


def _computed(name: str, case: Case) -> xarray.Dataset:
    problem, method = landscapes.digits_mlp(widths=case.widths, examples=case.examples), case.method
    warm = discrete.run(method, problem.loss, problem.params, steps=case.warm_up)
    start, state = warm.final_params, warm.final_state if method.has_preconditioner else None
    models = {
        CENTRAL: flows.CentralFlow(method, critical=CRITICAL, state=state),
        STABLE: flows.StableFlow(method, state=state),
    }
    with progress_bar(title=f"{name}: ") as show:
        run = comparisons.compare(
            discrete.TimeAveraged(method),
            models,
            problem,
            start,
            steps=case.steps,
            every=EVERY,
            observe={"preconditioner": Preconditioner()},
            state=None if state is None else (start, state),
            integrator=flows.explicit(rtol=1e-6, atol=1e-12),
            keep_params=True,
            progress=show,
        )
    if run.interrupted:
        raise KeyboardInterrupt
    measured = comparisons.measure_oscillation(method, problem.loss, start, steps=case.steps, state=state)
    found, sides = run.to_dataset(), [run.discrete, *run.flows.values()]
    flat, unravel = ravel_pytree(problem.params)
    points = [_padded(_rows(side.params), len(run.steps)) for side in sides]
    scales = [_padded(side.observations["preconditioner"], len(run.steps)) for side in sides]
    level = eqx.Partial(_on_flat, problem.loss, unravel)
    local = _local(level, jnp.concatenate(points), jnp.concatenate(scales), landscapes.eigenpairs.start_block(flat, 2))
    kept = ["loss", "distance", *(str(key) for key in found if str(key).startswith("predicted_"))]
    averages = {f"averaged_{key}": ("step", rows[run.steps]) for key, rows in measured.averaged()._asdict().items()}
    places = {key: (("side", "step"), np.reshape(rows, (3, -1))) for key, rows in local.items()}
    made = found[kept].assign(averages | places | {"every_loss": ("every", measured.loss)})
    made.attrs = {"method": name, "learning_rate": method.learning_rate, "onset": measured.onset}
    made.attrs |= {"beta2": getattr(method, "beta2", np.nan), "warm_up": case.warm_up}
    return made


def _rows(params: Params) -> np.ndarray:
    return np.concatenate([np.reshape(leaf, (len(leaf), -1)) for leaf in jax.tree.leaves(params)], axis=1)


def _padded(rows: np.ndarray, length: int) -> np.ndarray:
    """NaN where a side stopped early."""
    return np.pad(rows, ((0, length - len(rows)), (0, 0)), constant_values=np.nan)


def _on_flat(loss: Loss, unravel: Any, point: Array) -> Array:
    return loss(unravel(point))


@eqx.filter_jit
def _local(
    loss: Loss, points: Float[Array, "m n"], scales: Float[Array, "m n"], block: Float[Array, "b n"]
) -> dict[str, Array]:
    """At each point with its P: the top eigenvalue of P^-1 H, and of H in its direction u what one critical one needs.

    curvature: u'Hu.  bend, slope: |grad S|^2 and grad L'grad S, with grad S = T[u, u].  squared_gradient: |grad L|^2.
    scale: the mean of P, which is P for gradient descent and scalar RMSProp.
    """

    def one(block: Array, at: tuple[Array, Array]) -> tuple[Array, dict[str, Array]]:
        point, scale = at
        pairs = landscapes.top_eigenpairs(loss, point, 2, block=block, preconditioner=scale)
        direction = pairs.vectors[0] / jnp.sqrt(scale)
        u = direction / jnp.linalg.norm(direction)
        gradient, product = landscapes.gradient_and_product(loss, point, u)
        bend = landscapes.third_derivative(loss, point, u, u)
        found = {
            "effective_sharpness": pairs.values[0],
            "curvature": u @ product,
            "bend": bend @ bend,
            "slope": gradient @ bend,
            "squared_gradient": gradient @ gradient,
            "scale": jnp.mean(scale),
        }
        # A side that stopped leaves the block as it was.
        return jnp.where(jnp.all(jnp.isfinite(pairs.block)), pairs.block, block), found

    return jax.lax.scan(one, block, (points, scales))[1]


def judge(data: list[xarray.Dataset]) -> list[Claim]:
    """For every method: loss, effective sharpness, distance, variance, squared gradient, ablation; then by method."""
    claims = [make(one) for one in data for make in (_loss, _held, _hovers, _closer, _variance, _slope, _ablated)]
    for one in data:
        if one.attrs["method"] == "gradient descent":
            claims.append(_descends(one))
        if one.attrs["method"] != "RMSProp":
            claims.append(_closed(one))
    return claims


def _late(found: xarray.Dataset) -> xarray.Dataset:
    return found.sel(step=found.step >= found.attrs["onset"])


def _told(found: xarray.Dataset, quantity: str) -> xarray.DataArray:
    """What the central flow predicts, a variance over all directions."""
    rows = found[f"predicted_{quantity}"].sel(flow=CENTRAL)
    return rows.sum("predicted_variance_index", min_count=1) if quantity == "variance" else rows


def _farthest(values: np.ndarray, wanted: float) -> float:
    """NaN of none."""
    return float(values[np.argmax(np.abs(values - wanted))]) if values.size else np.nan


def _loss(found: xarray.Dataset) -> Claim:
    late = _late(found)
    return Claim(
        statement=f"{found.attrs['method']}: the central flow predicts the loss averaged over the oscillation",
        source=f"{PAPER}, figures of the section on the method",
        quantity="mean after the onset of |predicted / averaged over 40 steps - 1|",
        predicted=(0.0, 0.05),
        because="the paper's curves lie on each other within their width, some percent of the loss",
        measured=float(np.abs(_told(late, "loss") / late.averaged_loss - 1).mean()),
    )


def _held(found: xarray.Dataset) -> Claim:
    critical = found.predicted_critical.sel(flow=CENTRAL) > 0
    oscillating = critical & (_told(found, "variance") > 0)
    held = found.effective_sharpness.sel(side=CENTRAL, step=oscillating.values) * found.attrs["learning_rate"]
    return Claim(
        statement=f"{found.attrs['method']}: the central flow holds the effective sharpness at 2 while it oscillates",
        source=f"{PAPER}, definition of the central flow",
        quantity="h times the top eigenvalue of P^-1 H there, the farthest from 2",
        predicted=(1.99, 2.01),
        because="the target set for this tool; its time step leaves less than 1e-5",
        measured=_farthest(held.values, 2),
    )


def _hovers(found: xarray.Dataset) -> Claim:
    late = _late(found).effective_sharpness.sel(side="discrete") * found.attrs["learning_rate"]
    return Claim(
        statement=f"{found.attrs['method']}: the effective sharpness of the iterates equilibrates at 2",
        source=f"{PAPER}, the section on the method",
        quantity="mean after the onset of h times the top eigenvalue of P^-1 H, averaged iterates",
        predicted=(1.9, 2.1),
        because="they overshoot and ring, so that the mean has an error of a few percent",
        measured=float(late.mean()),
    )


def _closer(found: xarray.Dataset) -> Claim:
    ends = found.distance.isel(step=-1)
    return Claim(
        statement=f"{found.attrs['method']}: the iterates stay close to the central flow and leave the stable flow",
        source=f"{PAPER}, figures of the distance to both flows",
        quantity="distance of the central flow from the averaged iterates at the end, over that of the stable flow",
        predicted=(0.0, 1 / 3),
        because="a third tells a model that follows from one that lags; the paper's curves part by ten and more",
        measured=float(ends.sel(flow=CENTRAL) / ends.sel(flow=STABLE)),
    )


def _ratio(found: xarray.Dataset, quantity: str) -> float:
    late = _late(found)
    return float(late[f"averaged_{quantity}"].mean() / _told(late, quantity).mean())


def _variance(found: xarray.Dataset) -> Claim:
    return Claim(
        statement=f"{found.attrs['method']}: the oscillation has the predicted variance",
        source=f"{PAPER}, figures of the predicted covariance",
        quantity="mean squared distance of the iterates from their average after the onset, over the predicted",
        predicted=(0.8, 1.2),
        because="the band that the paper's averaged squares keep to",
        measured=_ratio(found, "variance"),
    )


def _slope(found: xarray.Dataset) -> Claim:
    return Claim(
        statement=f"{found.attrs['method']}: the squared gradient norm is predicted too, with its oscillation",
        source=f"{PAPER}, predictions of time averages",
        quantity="mean of |grad L|^2 along the iterates after the onset, over the predicted",
        predicted=(0.8, 1.2),
        because="almost all of it is the oscillation's, so the band of the variance",
        measured=_ratio(found, "squared_gradient_norm"),
    )


def _ablated(found: xarray.Dataset) -> Claim:
    end = found.effective_sharpness.isel(step=-1)
    return Claim(
        statement=f"{found.attrs['method']}: without the curvature penalty a flow goes to higher effective sharpness",
        source=f"{PAPER}, stable flow and ablated flow",
        quantity="effective sharpness of the stable flow at the end, over that of the central flow",
        predicted=(1.05, np.inf),
        because="5 % is more than what the iterates ring by at the end",
        measured=float(end.sel(side=STABLE) / end.sel(side=CENTRAL)),
    )


def _descends(found: xarray.Dataset) -> Claim:
    loss = found.loss.sel(side=CENTRAL).values
    return Claim(
        statement="along the central flow of gradient descent the loss decreases monotonically",
        source=f"{PAPER}, the section on gradient descent",
        quantity=f"largest relative increase over {EVERY} steps",
        predicted=(-1.0, 0.0),
        because="it is a sign, and proved",
        measured=float(np.max(np.diff(loss) / loss[:-1])),
    )


def closed_form(found: xarray.Dataset) -> xarray.DataArray:
    """sigma^2 of one critical direction along the central flow, from gradient and grad S there; b = beta2.

    (-g'grad S + q (S^2/4 - |g|^2/h^2)) / (|grad S|^2/2 + q S^2/h^2), q = (1 - b)/b over 1 - decay; q = 0 without P.
    """
    at, h, b = found.sel(side=CENTRAL), found.attrs["learning_rate"], found.attrs["beta2"]
    pace = xarray.zeros_like(at.step, dtype=float)
    if np.isfinite(b):
        # The decay b^n of the bias correction runs in the clock of nu.
        decay = b ** (found.attrs["warm_up"] + 1) * np.exp(-(1 - b) / b * at.step)
        pace = (1 - b) / b / (1 - decay)
    above = -at.slope + pace * (at.curvature**2 / 4 - at.squared_gradient / h**2)
    return above / (at.bend / 2 + pace * at.curvature**2 / h**2)


def _closed(found: xarray.Dataset) -> Claim:
    told = found.predicted_variance.sel(flow=CENTRAL)
    first, others = told[:, 0], told[:, 1:].sum("predicted_variance_index")
    single = ((first > 0) & (others < 1e-9 * first)).values
    ratios = (closed_form(found) / first)[single]
    return Claim(
        statement=f"{found.attrs['method']}: the variance of one critical direction in closed form",
        source=f"{PAPER}, the section on the method; the form with b2 is derived here",
        quantity=f"closed form over the flow's own, farthest from 1 of {int(single.sum())} samples",
        predicted=(0.98, 1.02),
        because="the flow's own is that of the middle of its last substep, a quarter of a step before",
        measured=_farthest(ratios.values, 1),
    )


def draw(data: list[xarray.Dataset]) -> Figure:
    """A column for each method: loss, effective sharpness, distance, variance of the oscillation."""
    with plt.style.context(STYLE):
        size = (max(3.4, 6.8 * len(data) / 3), 7.6)
        figure, axes = plt.subplots(4, len(data), figsize=size, layout="constrained", squeeze=False)
        for column, found in zip(axes.T, data, strict=True):
            _draw_loss(column[0], found)
            _draw_sharpness(column[1], found)
            _draw_distance(column[2], found)
            _draw_variance(column[3], found)
        for panel, letter in zip(axes.flat, "abcdefghijkl", strict=False):
            panel.set_title(f"({letter}) {panel.get_title()}")
            panel.set_xlabel("step")
        shared = {t: line for panel in axes.flat for line, t in zip(*panel.get_legend_handles_labels(), strict=True)}
        figure.legend(shared.values(), shared, loc="outside lower center", ncols=3, fontsize="x-small")
    return figure


RAW = {"color": "0.85", "linewidth": 0.6, "label": "iterates"}
AVERAGED = {"color": "0.55", "linewidth": 2.0, "label": "iterates, averaged"}
TOLD = {"color": COLOURS[0], "linewidth": 0.9, "label": "central flow, or predicted by it"}
STILL = {"color": COLOURS[1], "linewidth": 0.9, "linestyle": DASHES[1], "label": "stable flow"}


def _draw_loss(panel: Any, found: xarray.Dataset) -> None:
    panel.semilogy(np.arange(found.sizes["every"]), found.every_loss, **RAW)
    panel.semilogy(found.step, found.averaged_loss, **AVERAGED)
    panel.semilogy(found.step, found.loss.sel(side=STABLE), **STILL)
    panel.semilogy(found.step, _told(found, "loss"), **TOLD)
    low, high = float(found.averaged_loss.min()), float(found.every_loss.max())
    panel.set_ylim(0.7 * min(low, float(found.loss.sel(side=STABLE).min())), 1.3 * high)
    panel.set(title=found.attrs["method"], ylabel="loss")


def _draw_sharpness(panel: Any, found: xarray.Dataset) -> None:
    top = found.effective_sharpness * found.attrs["learning_rate"]
    panel.axhline(2, color="black", linewidth=0.6, linestyle=":")
    for side, style in (("discrete", AVERAGED), (STABLE, STILL), (CENTRAL, TOLD)):
        panel.plot(found.step, top.sel(side=side), **style)
    panel.set(title="effective sharpness", ylabel=r"$h\,\lambda_{\max}(P^{-1} \nabla^2 L)$")


def _draw_distance(panel: Any, found: xarray.Dataset) -> None:
    for flow, style in ((STABLE, STILL), (CENTRAL, TOLD)):
        panel.semilogy(found.step[1:], found.distance.sel(flow=flow)[1:], **style)
    panel.set(title="distance", ylabel="$|w(n) - m_n|$")


def _draw_variance(panel: Any, found: xarray.Dataset) -> None:
    panel.plot(found.step, found.averaged_variance, **AVERAGED)
    panel.plot(found.step, _told(found, "variance"), **TOLD)
    panel.set(title="variance", ylabel=r"$\langle |w_n - m_n|^2 \rangle$")
    late = _late(found)
    top = max(float(late.averaged_variance.max()), float(_told(late, "variance").max()))
    panel.set_ylim(0, 1.1 * top)
