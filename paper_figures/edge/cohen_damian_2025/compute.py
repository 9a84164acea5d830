"""The runs behind the figure."""

from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import xarray
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

import comparisons
import discrete
import flows
import landscapes
from comparisons.console.progress_bar import progress_bar
from landscapes import Loss
from landscapes.curvature.eigenpairs import start_block

from ...frame.stored import stored
from .setting import CASES, CENTRAL, CRITICAL, EVERY, QUICK_CASES, STABLE, Case


def compute(folder: Path, *, quick: bool) -> list[Path]:
    """One netCDF file for each method."""
    paths = []
    for name, case in (QUICK_CASES if quick else CASES).items():
        stem = f"cohen_damian_2025_{name.replace(' ', '_').lower()}"
        paths += stored(folder, stem, quick=quick, computed=lambda name=name, case=case: _computed(name, case))
    return paths


class Preconditioner(landscapes.Observable):
    """P of the run, flattened."""

    def measure(self, moment: landscapes.Moment, carry: None) -> tuple[landscapes.Reading, None]:
        scale = jax.tree.broadcast(moment.preconditioner, moment.params)
        spread = jax.tree.map(lambda p, x: jnp.broadcast_to(p, x.shape), scale, moment.params)
        return landscapes.Reading(ravel_pytree(spread)[0]), carry


def _computed(name: str, case: Case) -> xarray.Dataset:
    problem, method = landscapes.digits_mlp(widths=case.widths, examples=case.examples), case.method
    warm = discrete.run(method, problem.loss, problem.params, steps=case.warm_up)
    start, state = warm.final_params, warm.final_state if method.has_preconditioner else None
    averaged = discrete.TimeAveraged(method)
    models = {
        CENTRAL: flows.CentralFlow(method, critical=CRITICAL),
        STABLE: flows.StableFlow(method),
    }
    with progress_bar(title=f"{name}: ") as show:
        run = comparisons.compare(
            averaged,
            models,
            problem,
            start,
            steps=case.steps,
            every=EVERY,
            observe={"preconditioner": Preconditioner()},
            state=None if state is None else averaged.from_state(start, state),
            integrator=flows.explicit(rtol=1e-6, atol=1e-12),
            keep_params=True,
            progress=show,
        )
    measured = comparisons.measure_oscillation(method, problem.loss, start, steps=case.steps, state=state)
    found, sides = run.to_dataset(), [run.discrete, *run.flows.values()]
    flat, unravel = ravel_pytree(problem.params)
    points = [_padded(side.path, len(run.steps)) for side in sides]
    scales = [_padded(side.observations["preconditioner"], len(run.steps)) for side in sides]
    level = eqx.Partial(_on_flat, problem.loss, unravel)
    local = _local(level, jnp.concatenate(points), jnp.concatenate(scales), start_block(flat, 2))
    kept = ["loss", "distance", *(str(key) for key in found if str(key).startswith("predicted_"))]
    averages = {f"averaged_{key}": ("step", rows[run.steps]) for key, rows in measured.averaged()._asdict().items()}
    places = {key: (("side", "step"), np.reshape(rows, (3, -1))) for key, rows in local.items()}
    made = found[kept].assign(averages | places | {"every_loss": ("every", measured.loss)})
    made.attrs = {"method": name, "learning_rate": method.learning_rate, "onset": measured.onset}
    made.attrs |= {"beta2": getattr(method, "beta2", np.nan), "warm_up": case.warm_up}
    return made


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
