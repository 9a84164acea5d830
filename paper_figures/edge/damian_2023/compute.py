"""The runs behind the figure."""

from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import xarray
from jax.flatten_util import ravel_pytree
from jaxtyping import Array

import discrete
import flows
import landscapes
from comparisons.console.progress_bar import progress_bar
from landscapes import Loss, Params

from ...frame.stored import stored
from . import reduced_map
from .setting import BLOCK, EVERY, FULL, MODELS, QUICK, SAID, WITHIN, Size


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
    state = eqx.filter_jit(flows.SelfStabilization(method, swing=swing).init)(problem.loss, flows.Start(start))
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
        state, failure = flow.step(loss, state, None, 0)
        return (now, after, state, jnp.maximum(failed, failure)), rows

    return jax.lax.scan(one, carry, length=BLOCK)
