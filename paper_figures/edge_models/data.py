"""The runs behind the figure."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import xarray
from rich.console import Console

import comparisons
import discrete
import flows
import landscapes

from ..stored import stored

RATE, WARM_UP, STEPS, QUICK_STEPS, EVERY = 0.15, 100, 3000, 800, 20
QUICK_EXAMPLES, EXAMPLES = 100, 300
MODELS: dict[str, Callable[[Any], flows.Flow]] = {
    "gradient flow": flows.GradientFlow,
    "self-stabilization": flows.SelfStabilization,
    "central": flows.CentralFlow,
    "central, modified drift": lambda method: flows.CentralFlow(method, order=2),
    "rod": flows.RodFlow,
    "edge, order 1": lambda method: flows.EdgeFlow(method, order=1),
    "edge, order 2": lambda method: flows.EdgeFlow(method, order=2),
    "edge, order 3": lambda method: flows.EdgeFlow(method, order=3),
}
QUICK_MODELS = ("gradient flow", "central", "central, modified drift", "edge, order 2")


def compute(folder: Path, *, quick: bool) -> list[Path]:
    """One netCDF file: the scorecard and the run behind it."""
    return stored(folder, "edge_models", quick=quick, computed=lambda: _computed(quick))


def _computed(quick: bool) -> xarray.Dataset:
    problem = landscapes.digits_mlp(widths=(20, 20), examples=QUICK_EXAMPLES if quick else EXAMPLES)
    method = discrete.GradientDescent(RATE)
    start = discrete.run(method, problem.loss, problem.params, steps=WARM_UP).final_params
    card = comparisons.scorecard(
        method,
        {name: make(method) for name, make in MODELS.items() if not quick or name in QUICK_MODELS},
        problem,
        start,
        steps=QUICK_STEPS if quick else STEPS,
        every=EVERY,
        timed=False,
        integrator=flows.explicit(rtol=1e-6 if quick else 1e-7, atol=1e-12),
    )
    Console(width=140).print(card.table())
    # Times on the clock would make other bytes of every run.
    found = card.to_dataset().drop_vars("seconds")
    found.attrs = {"onset": card.onset}
    return found
