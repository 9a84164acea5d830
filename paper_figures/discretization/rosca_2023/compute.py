"""The runs behind the figure."""

from pathlib import Path
from typing import Any

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import xarray
from jaxtyping import Array, Float, Inexact

import comparisons
import discrete
import flows
import landscapes
from comparisons.console.progress_bar import progress_bar
from discrete.running.march import Progress
from landscapes import Loss, Params

from ...frame.chosen_flow import each_flow
from ...frame.stored import stored
from .setting import (
    CURVATURES,
    DETAIL,
    ESCAPE_Z,
    EVERY,
    EXAMPLES,
    FLOWS,
    GAIN,
    LOOSE,
    NUDGE,
    QUICK_EVERY,
    QUICK_START_Z,
    QUICK_WINDOWS,
    RATE,
    SAMPLES,
    SMOOTH,
    START,
    START_Z,
    TIGHT,
    TOP,
    WARM_UP,
    WIDTHS,
    WINDOWS,
    Z,
)


class BentBowl(eqx.Module):
    """1/2 sum c_i x_i^2 + b T(x), T the toy of the two valleys: the quadratic at b = 0, the toy at c = 0."""

    curvatures: Float[Array, " 2"]
    bend: Float[Array, ""]

    def __call__(self, x: Inexact[Array, " 2"]) -> Inexact[Array, ""]:
        return jnp.sum(self.curvatures * x**2) / 2 + self.bend * landscapes.two_valleys().loss(x)


def compute(folder: Path, *, quick: bool) -> list[Path]:
    """One netCDF file: the flows on quadratics, their errors on a toy, an escape, and a network's run to the edge."""
    return stored(folder, "rosca_2023", quick=quick, computed=lambda: _computed(quick))


def _computed(quick: bool) -> xarray.Dataset:
    found = _quadratics() | _orders(QUICK_EVERY if quick else EVERY) | _escape()
    with progress_bar(title="network: ") as show:
        found |= _network(QUICK_WINDOWS if quick else WINDOWS, QUICK_START_Z if quick else START_Z, show)
    return xarray.Dataset(found, coords={"flow": list(FLOWS), "z": list(Z)})


def _models(method: discrete.Method, k: Any = "all", order: int = 1) -> dict[str, flows.Flow]:
    smooth = {name: flows.ModifiedFlow(method, order=p) for name, p in SMOOTH.items()}
    return {**each_flow(smooth), "principal": flows.PrincipalFlow(method, k=k, order=order)}


def _solver(rate: float, tolerance: float = TIGHT) -> flows.Integrator:
    """A first step that is given saves the compilation of the search for one."""
    controller = diffrax.PIDController(rtol=tolerance, atol=tolerance / 1000)
    return flows.Integrator(diffrax.Dopri8(), controller, first_step=float(rate) / 10)


def _compared(loss: BentBowl, start: Any, rate: float, every: int = 1) -> comparisons.Comparison:
    """The flows of gradient descent; the same number of samples each time, so that nothing is compiled twice."""
    method = discrete.GradientDescent(float(rate))
    return comparisons.compare(
        method,
        _models(method),
        loss,
        jnp.asarray(start),
        steps=SAMPLES * every,
        every=every,
        integrator=_solver(rate),
        keep_params=True,
    )


def _quadratics() -> dict[str, Any]:
    bowl = BentBowl(jnp.asarray(CURVATURES), jnp.asarray(0.0))
    runs = [_compared(bowl, START, z / CURVATURES[0]) for z in Z]
    paths = [[np.real(np.asarray(run.flows[name].params)) for name in FLOWS] for run in runs]
    said = [run.flows["principal"].predictions for run in runs]
    return {
        "iterates": (("z", "step", "component"), [np.asarray(run.discrete.params) for run in runs]),
        "path": (("z", "flow", "step", "component"), paths),
        "distance": (("z", "flow", "step"), [[run.divergence[name].distance for name in FLOWS] for run in runs]),
        # Curvatures and coefficients of a quadratic are the same at every step; descending, as the components are.
        "curvature": (("z", "component"), [each["curvature"][0] for each in said]),
        "coefficient": (("z", "component"), [each["stability_coefficient"][0] for each in said]),
    }


def _toy() -> BentBowl:
    return BentBowl(jnp.zeros(2), jnp.asarray(1.0))


def _orders(every: tuple[int, ...]) -> dict[str, Any]:
    """Errors to time 1 for h = 1/(15 every), and what the terms left out predict for the smallest."""
    rates = [1 / (SAMPLES * each) for each in every]
    start = landscapes.two_valleys().params
    runs = [_compared(_toy(), start, h, each) for h, each in zip(rates, every, strict=True)]
    predicted = rates[-1] ** 2 * np.max(_left_out(rates[-1], jnp.asarray(start)), axis=-1)
    return {
        "error": (("flow", "rate"), [[run.divergence[name].distance.max() for run in runs] for name in FLOWS]),
        "predicted_error": (("left_out",), predicted, {"long_name": "all terms of order 3, without f'f'f"}),
        "rate": ("rate", rates),
    }


def _left_out(rate: float, start: Float[Array, " 2"]) -> np.ndarray:
    """|E| along the flow of order 2 to time 1, of all terms of order 3, and of those the principal flow leaves out."""
    error = flows.LeadingError(discrete.GradientDescent(rate), order=2)
    # Of f''(f, f) and f'f'f the principal flow leaves out the first, which has two children.
    bent = [w if len(tree) == 2 else 0.0 for tree, w in zip(error.trees, error.weights, strict=True)]
    # Euler with a quarter of the step: an error of a quarter of what the claim leaves for O(h).
    loss, euler = _toy(), discrete.GradientDescent(rate / 4)

    @jax.jit
    def sizes(weights: Array) -> Array:
        flow = eqx.tree_at(lambda flow: flow.weights, error, weights)

        def back(state: Any) -> Any:
            return jax.tree.map(jnp.negative, flow.vector_field(loss, 0.0, state))

        def one(state: Any, _: None) -> tuple[Any, Array]:
            state, _ = euler.step(back, state, None)
            return state, jnp.linalg.norm(state.error)

        return jax.lax.scan(one, flow.init(loss, flows.Start(start)), length=round(4 / rate))[1]

    return np.array([sizes(jnp.asarray(weights)) for weights in (error.weights, bent)])


def _escape() -> dict[str, Any]:
    """Distances from the toy's sharp minimum, started beside it across its valley, at h l = 2.1."""
    near = _compared(_toy(), (1.0, 0.0), 0.2, every=10)
    minimum = np.asarray(near.discrete.final_params)
    sharpness = near.flows["principal"].predictions["curvature"][-1, 0] / 0.2
    run = _compared(_toy(), minimum + np.array([0.0, NUDGE]), ESCAPE_Z / sharpness)
    paths = [run.discrete.params, *(run.flows[name].params for name in FLOWS)]
    away = [np.linalg.norm(np.asarray(path) - minimum, axis=1) for path in paths]
    return {"from_minimum": (("side", "step"), away), "side": ("side", ["method", *FLOWS])}


def _network(windows: int, start_z: tuple[float, ...], show: Progress) -> dict[str, Any]:
    """A run through 2/h: the flows over a few steps from points along it, and from its start at other step sizes."""
    problem = landscapes.digits_mlp(widths=WIDTHS, examples=EXAMPLES, gain=GAIN)
    observe = {"amplification": landscapes.Amplification(problem.loss)}
    method, start, runs = discrete.GradientDescent(RATE), problem.params, []
    for every in (WARM_UP // DETAIL, 1):
        steps = DETAIL * every
        run = discrete.run(method, problem.loss, start, steps=steps, every=every, observe=observe, keep_params=True)
        runs.append(run)
        start = run.final_params
    warm, detail = runs
    steps = np.concatenate([warm.steps[:-1], WARM_UP + np.asarray(detail.steps)]).astype(np.int32)
    points = jax.tree.map(lambda a, b: np.concatenate([a[:-1], b]), warm.params, detail.params)
    curvatures = [RATE * run.observations["amplification_curvature"][:, 0] for run in runs]
    curvature = np.concatenate([curvatures[0][:-1], curvatures[1]])
    begins = np.linspace(0, len(steps) - 1, windows).round().astype(int)
    rates = np.array(start_z) / curvature[0] * RATE
    cases = [(RATE, jax.tree.map(lambda rows, i=i: jnp.asarray(rows[i]), points)) for i in begins]
    cases += [(h, problem.params) for h in rates]
    apart = []
    for done, (rate, begin) in enumerate(cases, start=1):
        apart.append(_followed(float(rate), problem.loss, begin))
        show(done, len(cases))
    path = detail.path
    swing, stride = path[2:] - 2 * path[1:-1] + path[:-2], path[2:] - path[:-2]
    return {
        "network_step": ("network_step", steps),
        "sharpness": ("network_step", curvature, {"long_name": "h times the sharpness of the network"}),
        "detail_step": ("detail_step", steps[DETAIL + 1 : -1]),
        "swing": ("detail_step", np.linalg.norm(swing, axis=1) / 4),
        "stride": ("detail_step", np.linalg.norm(stride, axis=1) / 2),
        # What the step to the next one does to the gradient.
        "amplification": ("detail_step", detail.observations["amplification"][2:, 0]),
        "window": ("window", steps[begins]),
        "apart": (("window", "flow", "later"), np.array(apart[:windows])),
        "start_z": ("start_z", np.array(start_z)),
        "apart_from_start": (("start_z", "flow", "later"), np.array(apart[windows:])),
    }


def _followed(rate: float, loss: Loss, start: Params) -> np.ndarray:
    """(flow, 1 to 15 steps later): distances over what the iterates travelled; NaN where a flow has failed."""
    method = discrete.GradientDescent(rate)
    run = comparisons.compare(
        method, _models(method, TOP, 2), loss, start, steps=SAMPLES, integrator=_solver(rate, LOOSE)
    )
    rows = np.full((len(FLOWS), SAMPLES), np.nan)
    for row, name in zip(rows, FLOWS, strict=True):
        found = run.divergence[name].relative_distance[1:]
        row[: len(found)] = found
    return rows
