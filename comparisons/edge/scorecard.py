"""How well each model of a run past the edge of stability predicts it, and what the prediction costs."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from rich.table import Table

from discrete import Method, TimeAveraged
from flows import Flow
from landscapes import EffectiveSharpness, Loss, Params, Problem, Sharpness

from ..compare import compare, unpacked
from ..comparison import Comparison
from ..findings import EFFECTIVE
from .oscillation import Oscillation, measure_oscillation


class Score(NamedTuple):
    """One model.  All errors are relative; the iterates are the averaged ones, m_n = (x_{n-1} + 2 x_n + x_{n+1})/4.

    distance, final_distance: |X - m| / |m - x_0|, mean after the onset, and at the end.
    loss, squared_gradient_norm: mean after the onset of |predicted / averaged over 40 steps - 1|; NaN where the model
        predicts none, but for the loss, where L(X) then stands for it.
    variance: |predicted / measured - 1| of its mean after the onset, over all directions; NaN where not predicted.
    sharpness: root mean square after the onset of (S(X) - S(m)) / threshold; sharpness_spread: standard deviation of
        S(X) over that of S(m), after the onset; sharpness_peak: largest S(X) over threshold, minus that of m.
    gradients, hessian_products, seconds: for each step that it came; seconds with the instruments, without
        compilation, NaN where the scorecard was not timed.
    NaN where a model stopped too early to say: the final distance and all after the onset.
    """

    distance: float
    final_distance: float
    loss: float
    squared_gradient_norm: float
    variance: float
    sharpness: float
    sharpness_spread: float
    sharpness_peak: float
    gradients: float
    hessian_products: float
    seconds: float
    status: str


class Scorecard(NamedTuple):
    """comparison: of the averaged iterates with every model.  measured: along the iterates.  onset: a step."""

    scores: dict[str, Score]
    comparison: Comparison
    measured: Oscillation
    onset: int

    def table(self) -> Table:
        """For a terminal, one row a model."""
        steps = int(self.comparison.steps[-1])
        made = Table(
            title=f"{self.comparison.problem}: {steps} steps, onset at step {self.onset}", title_justify="left"
        )
        for name in ("model", "distance", "end", "loss", "variance", "S rms", "S std", "S peak", "grads", "HVPs", "ms"):
            made.add_column(name, justify="left" if name == "model" else "right")
        for name, s in self.scores.items():
            errors = (s.distance, s.final_distance, s.loss, s.variance, s.sharpness)
            made.add_row(
                name if s.status == "completed" else f"{name} ({s.status})",
                *("" if np.isnan(e) else f"{e:.1e}" for e in errors),
                f"{s.sharpness_spread:.2f}",
                f"{s.sharpness_peak:+.3f}",
                f"{s.gradients:.1f}",
                f"{s.hessian_products:.1f}",
                "" if np.isnan(s.seconds) else f"{1e3 * s.seconds:.1f}",
            )
        return made

    def to_dataset(self) -> xr.Dataset:
        """Dimensions model, and step for what lies behind the scores."""
        fields = [name for name in Score._fields if name != "status"]
        # A comparison has variables of its own of these names.
        rename = {name: f"{name}_error" for name in ("loss", "sharpness", "distance", *Oscillation._fields)}
        found: dict[str, Any] = {
            rename.get(name, name): ("model", [getattr(s, name) for s in self.scores.values()]) for name in fields
        }
        averaged = self.measured.averaged()
        steps = self.comparison.steps
        for name in Oscillation._fields:
            found[f"averaged_{name}"] = ("step", getattr(averaged, name)[steps])
        behind = self.comparison.to_dataset().drop_vars("samples")
        return xr.Dataset(found, coords={"model": list(self.scores)}, attrs={"onset": self.onset}).merge(
            behind, combine_attrs="drop_conflicts"
        )


def scorecard(
    method: Method,
    models: Mapping[str, Flow],
    loss: Loss | Problem,
    params: Params | None = None,
    *,
    steps: int,
    every: int = 10,
    state: Any = None,
    k: int = 2,
    timed: bool = True,
    integrator: Any = None,
    progress: Any = None,
) -> Scorecard:
    """Every model beside the averaged iterates of one run of the method, and beside what they do on average.

    state: the method's at the start, None at rest; models that start with the method's memory take their own.
    k: eigenvalues tracked, of P^-1/2 H P^-1/2 for a method with a preconditioner.
    timed: run the models a second time, without compilation, for the seconds.
    """
    _, function, start, _ = unpacked(loss, params, None)
    observe: dict[str, Any] = {"sharpness": Sharpness(function, k=k)}
    if method.has_preconditioner:
        observe = {EFFECTIVE: EffectiveSharpness(function, k=k)}

    averaged = TimeAveraged(method)

    def run(shown: Any) -> Comparison:
        return compare(
            averaged,
            models,
            loss,
            start,
            steps=steps,
            every=every,
            observe=observe,
            state=None if state is None else averaged.from_state(start, state),
            integrator=integrator,
            progress=shown,
        )

    comparison = run(progress)
    again = run(None) if timed else None
    measured = measure_oscillation(method, function, start, steps=steps, state=state)
    onset = measured.onset
    seconds = {name: np.nan if again is None else again.flows[name].cost.seconds for name in models}
    scores = {name: _score(comparison, name, measured.averaged(), onset, seconds[name]) for name in models}
    return Scorecard(scores, comparison, measured, onset)


def _score(comparison: Comparison, name: str, averaged: Oscillation, onset: int, seconds: float) -> Score:
    flow, apart = comparison.flows[name], comparison.divergence[name]
    late, nothing = flow.steps >= onset, float("nan")
    reached = max(1, int(flow.steps[-1])) if len(flow.steps) else 1

    def error(quantity: str, otherwise: np.ndarray | None = None) -> float:
        said = flow.predictions.get(quantity, otherwise)
        if said is None or not late.any():
            return nothing
        seen = getattr(averaged, quantity)[flow.steps][late]
        if quantity == "variance":
            return float(abs(said[late].sum(axis=1).mean() / seen.mean() - 1))
        return float(np.mean(np.abs(said[late] - seen) / np.abs(seen)))

    threshold = comparison.threshold or nothing
    top, iterates = comparison.limited_sharpness(name), comparison.limited_sharpness()
    assert top is not None and iterates is not None
    top, iterates = top / threshold, iterates[: len(top)] / threshold
    spread = iterates[late].std() if late.any() else 0
    cost = flow.cost
    return Score(
        distance=float(apart.relative_distance[late].mean()) if late.any() else nothing,
        final_distance=float(apart.relative_distance[-1]) if flow.completed else nothing,
        loss=error("loss", flow.observations["loss"]),
        squared_gradient_norm=error("squared_gradient_norm"),
        variance=error("variance"),
        sharpness=float(np.sqrt(np.mean((top[late] - iterates[late]) ** 2))) if late.any() else nothing,
        sharpness_spread=float(top[late].std() / spread) if spread else nothing,
        sharpness_peak=float(top.max() - iterates.max()),
        gradients=nothing if cost.gradients is None else cost.gradients / reached,
        hessian_products=nothing if cost.hessian_products is None else cost.hessian_products / reached,
        seconds=seconds / reached,
        status=flow.status,
    )
