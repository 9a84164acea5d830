"""The runs behind the figure."""

from pathlib import Path
from typing import Any

import numpy as np
import xarray

import comparisons
import discrete
import flows
import landscapes

from ...frame.stored import stored
from .setting import (
    CONDITION,
    CONVEX_STEPS,
    CONVEXITY,
    ENERGY_STEPS,
    EXAMPLE,
    KINDS,
    MODELS,
    MODES,
    ORDER_CONVEXITY,
    ORDER_DURATION,
    ORDER_STEPS,
    PLANE_RATE,
    QUICK_ORDER_STEPS,
    RATE,
    STEPS,
)


def compute(folder: Path, *, quick: bool) -> list[Path]:
    """One netCDF file: the example, errors against sqrt(s), energies, and NAG-C on a quadratic and on digits."""
    return stored(
        folder, "shi_2021", quick=quick, computed=lambda: _computed(QUICK_ORDER_STEPS if quick else ORDER_STEPS)
    )


def _computed(order_steps: tuple[int, ...]) -> xarray.Dataset:
    found = _example() | _orders(order_steps) | _energies() | _convex() | _forms()
    return xarray.Dataset(found, coords={"model": list(MODELS)})


def _bowl() -> landscapes.Problem:
    return landscapes.quadratic(eigenvalues=EXAMPLE, rotate=False)


def _example() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for kind, make in KINDS.items():
        for rate in (RATE, PLANE_RATE):
            method = make(rate, CONVEXITY)
            models = {name: flow(method) for name, flow in MODELS.items()}
            run = comparisons.compare(method, models, _bowl(), steps=STEPS, keep_params=True)
            found[f"{kind}, {rate:g}"] = (("step", "component"), np.asarray(run.discrete.params))
            for name in MODELS:
                found[f"{kind}, {name}, {rate:g}"] = (("step", "component"), np.asarray(run.flows[name].params))
                found[f"distance, {kind}, {name}, {rate:g}"] = ("step", run.divergence[name].distance)
    return found


def _forms() -> dict[str, Any]:
    """How far the two forms of each equation are apart on the toy, where the Hessian is not constant."""
    toy, solver = landscapes.two_valleys(), flows.explicit(rtol=1e-11, atol=1e-13)
    apart = []
    for flow, method in (
        (flows.HighResolution, KINDS["NAG-SC"](RATE, CONVEXITY)),
        (flows.HighResolutionConvex, discrete.nesterov_convex_look_ahead(RATE)),
    ):
        first, second = (
            flows.solve(
                flow(method, form=form), toy.loss, toy.params, steps=STEPS, keep_params=True, integrator=solver
            ).params
            for form in ("gradient", "hessian")
        )
        apart.append(float(np.max(np.abs(np.asarray(first) - np.asarray(second)))))
    return {"forms_apart": ("equation", apart)}


def _orders(steps: tuple[int, ...]) -> dict[str, Any]:
    bowl = landscapes.quadratic(eigenvalues=(ORDER_CONVEXITY, 3.0, 6.0, 9.0))
    rates = [(ORDER_DURATION / n) ** 2 for n in steps]
    found: dict[str, Any] = {}
    for kind, make in KINDS.items():
        orders = [
            comparisons.measure_order(
                lambda h, make=make: make(h, ORDER_CONVEXITY),
                flow,
                bowl.loss,
                bowl.params,
                learning_rates=rates,
                duration=ORDER_DURATION,
                start="rest",
            )
            for flow in MODELS.values()
        ]
        found[f"error, {kind}"] = (("model", "rate_sample"), [order.errors for order in orders])
        found["rate"] = ("rate_sample", orders[0].learning_rates)
    return found


def _energies() -> dict[str, Any]:
    """Energies of flow and method on logistic digits, at step sizes that the theorems allow."""
    problem = landscapes.logistic_digits()
    target = landscapes.minimizer(problem.loss, problem.params)
    sharpness, m = float(landscapes.top_eigenpairs(problem.loss, problem.params).values[0]), 0.01
    models = {
        "NAG-SC": flows.HighResolution(KINDS["NAG-SC"](1 / (4 * sharpness), m)),
        "heavy ball": flows.HighResolution(KINDS["heavy ball"](m / (16 * sharpness**2), m)),
        "NAG-C": flows.HighResolutionConvex(discrete.nesterov_convex_look_ahead(1 / (3 * sharpness))),
    }
    found: dict[str, Any] = {}
    for name, flow in models.items():
        energy = flow.energy(problem.loss, target)
        for side, model in {"flow": flow, "method": flow.method}.items():
            decay = comparisons.measure_decay(model, problem.loss, problem.params, energy, steps=ENERGY_STEPS, every=3)
            found[f"energy, {name}, {side}"] = ("energy_sample", decay.energies)
            found[f"floor, {name}, {side}"] = ("energy_sample", decay.floors)
    return found


def _convex() -> dict[str, Any]:
    """Loss gaps of NAG-C and of its three equations at s = 1/L, and its smallest squared gradient so far."""
    spectrum = np.geomspace(1 / CONDITION, 1, MODES)
    bowl = landscapes.quadratic(eigenvalues=spectrum, rotate=False)
    # Every mode starts with the same share of the loss.
    quadratic = landscapes.Problem("quadratic", bowl.loss, bowl.params / np.sqrt(spectrum), minimum=0.0)
    digits = landscapes.logistic_digits()
    sharpness = float(landscapes.top_eigenpairs(digits.loss, digits.params).values[0])
    least = float(digits.loss(landscapes.minimizer(digits.loss, digits.params)))
    solver = flows.explicit(rtol=1e-11, atol=1e-15)
    found: dict[str, Any] = {}
    for name, problem, rate, minimum in (
        ("quadratic", quadratic, 1.0, 0.0),
        ("logistic", digits, 1 / sharpness, least),
    ):
        ahead, behind = discrete.nesterov_convex_look_ahead(rate), discrete.nesterov_convex(rate)
        observe = {"loss": problem.loss, "gradient": landscapes.GradientNorm(problem.loss)}
        common = {"steps": CONVEX_STEPS, "observe": observe, "integrator": solver}
        for kind, method, flow in (
            ("high", ahead, flows.HighResolutionConvex(ahead)),
            ("next", ahead, flows.HighResolutionConvex(ahead, order=3)),
            ("low", behind, flows.SuBoydCandes(behind)),
        ):
            run = comparisons.compare(method, {"flow": flow}, problem, **common)
            sides = {"method": run.discrete, "flow": run.flows["flow"]}
            for side, path in sides.items():
                found[f"gap, {name}, {kind}, {side}"] = ("convex_step", path.observations["loss"] - minimum)
                if kind == "high" and name == "quadratic":
                    least_so_far = np.minimum.accumulate(path.observations["gradient"]) ** 2
                    found[f"gradient, {side}"] = ("convex_step", least_so_far)
    found["radius_squared"] = ((), float(np.sum(quadratic.params**2)))
    return found
