"""The runs behind the figure."""

from pathlib import Path

import xarray
from rich.console import Console

import comparisons
import discrete
import flows
import landscapes

from ...frame.stored import stored
from .setting import EVERY, EXAMPLES, MODELS, QUICK_EXAMPLES, QUICK_MODELS, QUICK_STEPS, RATE, STEPS, WARM_UP


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
