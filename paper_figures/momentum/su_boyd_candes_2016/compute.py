"""The runs behind the figure."""

from pathlib import Path
from typing import Any

import numpy as np
import optax
import xarray

import comparisons
import discrete
import flows
import landscapes
from landscapes import MotionObservable, Params

from ...frame.stored import stored
from .setting import (
    CONDITION,
    DURATION,
    FRICTIONS,
    MODES,
    ORDER_STEPS,
    QUICK_RESTART_DURATION,
    RATES,
    RESTART_CLOCK,
    RESTART_DURATION,
    SCALED_DURATION,
    SCALED_RATE,
)


class Speed(MotionObservable):
    """|X'|, whose falls to zero are the restarts."""

    time_per_step: float

    def of_flow(self, time: Any, params: Params, velocity: Params) -> Any:
        del time, params
        return optax.tree.norm(velocity)

    def of_method(self, step: Any, params: Params, following: Params) -> Any:
        del step
        return optax.tree.norm(optax.tree.sub(following, params)) / self.time_per_step


def compute(folder: Path, *, quick: bool) -> list[Path]:
    """One netCDF file: figure 1, energies and scaled errors for r = 1 to 5, errors against sqrt(h), restarted runs."""
    return stored(
        folder,
        "su_boyd_candes_2016",
        quick=quick,
        computed=lambda: _computed(QUICK_RESTART_DURATION if quick else RESTART_DURATION),
    )


def _computed(restart_duration: float) -> xarray.Dataset:
    found = _figure_1() | _scaled() | _orders() | _restarted(restart_duration)
    return xarray.Dataset(found, coords={"r": list(FRICTIONS)})


def _figure_1() -> dict[str, Any]:
    bowl = landscapes.quadratic(eigenvalues=(0.04, 0.01), rotate=False)
    found: dict[str, Any] = {}
    for h in RATES:
        method = discrete.nesterov_convex(h)
        run = comparisons.compare(
            method, {"flow": flows.SuBoydCandes(method)}, bowl, steps=round(DURATION / h**0.5), keep_params=True
        )
        for name, side in {"method": run.discrete, "flow": run.flows["flow"]}.items():
            found[f"path_{name}_{h:g}"] = ((f"sample_{h:g}", "component"), np.asarray(side.params))
            found[f"loss_{name}_{h:g}"] = (f"sample_{h:g}", side.observations["loss"])
    return found


def _scaled() -> dict[str, Any]:
    """Energies and loss gaps of the flow on logistic regression, for each r."""
    problem = landscapes.logistic_digits()
    target = landscapes.minimizer(problem.loss, problem.params)
    steps = round(SCALED_DURATION / SCALED_RATE**0.5)
    decays = []
    for r in FRICTIONS:
        flow = flows.SuBoydCandes(discrete.nesterov_convex(SCALED_RATE, r))
        # r = 1 has no energy of this family; its gap is measured with that of r = 3.
        energy = (flow if r > 1 else flows.SuBoydCandes(discrete.nesterov_convex(SCALED_RATE))).energy(
            problem.loss, target
        )
        decays.append(comparisons.measure_decay(flow, problem.loss, problem.params, energy, steps=steps, every=3))
    return {
        "time": ("time_sample", decays[0].times),
        "gap": (("r", "time_sample"), [d.gaps for d in decays]),
        "energy": (("r", "time_sample"), [d.energies for d in decays]),
        "floor": (("r", "time_sample"), [d.floors for d in decays]),
        "bound": (("r", "time_sample"), [d.bounds for d in decays]),
    }


def _orders() -> dict[str, Any]:
    problem = landscapes.logistic_digits()
    order = comparisons.measure_order(
        discrete.nesterov_convex,
        flows.SuBoydCandes,
        problem.loss,
        problem.params,
        learning_rates=[(4.0 / n) ** 2 for n in ORDER_STEPS],
        duration=4.0,
        start="rest",
    )
    return {"rate": ("order_sample", order.learning_rates), "error": ("order_sample", order.errors)}


def _restarted(duration: float) -> dict[str, Any]:
    """Losses of the convex flow and method with and without restarts, every mode with the same share of the loss."""
    spectrum = np.geomspace(1 / CONDITION, 1, MODES)
    bowl = landscapes.quadratic(eigenvalues=spectrum, rotate=False)
    start = bowl.params / np.sqrt(spectrum)
    fine, coarse = RESTART_CLOCK**2, 1.0
    plain, restarted = discrete.nesterov_convex(fine), discrete.RestartedNesterov(fine)
    observe = {"loss": bowl.loss, "speed": Speed(RESTART_CLOCK)}
    found: dict[str, Any] = {}
    for name, flow in (("plain", flows.SuBoydCandes(plain)), ("restarted", flows.SpeedRestart(restarted))):
        run = flows.solve(flow, bowl.loss, start, steps=round(duration / RESTART_CLOCK), observe=observe)
        found[f"flow_{name}_loss"] = ("fine", run.observations["loss"])
        found[f"flow_{name}_speed"] = ("fine", run.observations["speed"])
    for name, method in (
        ("plain", discrete.nesterov_convex(coarse)),
        ("restarted", discrete.RestartedNesterov(coarse)),
    ):
        run = discrete.run(method, bowl.loss, start, steps=round(duration), observe={"loss": bowl.loss})
        found[f"method_{name}_loss"] = ("coarse", run.observations["loss"])
    return found
