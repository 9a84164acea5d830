"""Shi, Du, Jordan and Su 2021, "Understanding the acceleration phenomenon via high-resolution differential equations".

Their two-dimensional example, on which the low-resolution equation cannot tell Nesterov's method (NAG-SC) from heavy
ball; the orders of the equations with the published and the corrected start; energies; and NAG-C.
"""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray
from matplotlib.figure import Figure

import comparisons
import discrete
import flows
import landscapes
from comparisons.order import regression
from comparisons.plot import COLOURS, DASHES, STYLE

from .claim import Claim
from .stored import load as load, stored

PAPER = "Shi, Du, Jordan and Su 2021"
EXAMPLE, CONVEXITY, RATE, PLANE_RATE, STEPS = (0.01, 2.0), 0.01, 0.01, 0.05, 100
KINDS = {
    "NAG-SC": discrete.nesterov_strongly_convex_look_ahead,
    "heavy ball": discrete.heavy_ball_strongly_convex,
}
MODELS = {
    "low": flows.LowResolution,
    "published": lambda method: flows.HighResolution(method, start="published"),
    "corrected": flows.HighResolution,
}
LABELS = {"low": "low resolution", "published": "high, published start", "corrected": "high, corrected start"}
ORDER_CONVEXITY, ORDER_DURATION, ORDER_STEPS = 1.0, 2.0, (140, 200, 300, 440, 640)
QUICK_ORDER_STEPS = (140, 200, 300, 440)
CLAIMED = {"low": 1, "published": 1, "corrected": 2}
MODES, CONDITION, CONVEX_STEPS = 200, 1e4, 300
CONVEX_PROBLEMS = {"quadratic": f"{MODES} modes with equal losses, L/mu = {CONDITION:g}", "logistic": "logistic digits"}
GAP_LABELS = {"low": "Su, Boyd, Candes", "high": "high resolution", "next": "the same to order 3"}
ENERGY_STEPS = 300


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


def judge(data: list[xarray.Dataset]) -> list[Claim]:
    """Closeness on the example, orders of both starts, the two forms, energies, and NAG-C."""
    (found,) = data
    return [
        *(_closer(found, kind) for kind in KINDS),
        *(_order(found, model) for model in MODELS),
        _equal_forms(found),
        _falls(found),
        _gradient_rate(found),
        *(_within(found, problem) for problem in CONVEX_PROBLEMS),
    ]


def _closer(found: xarray.Dataset, kind: str) -> Claim:
    low, high = (float(found[f"distance, {kind}, {model}, {RATE:g}"].max()) for model in ("low", "corrected"))
    return Claim(
        statement=f"the high-resolution equation follows {kind} where the low-resolution one does not",
        source=f"{PAPER}, figure 1; f = 0.005 x_1^2 + x_2^2, s = {RATE}",
        quantity=f"largest distance over {STEPS} steps, low over high resolution",
        predicted=(5.0, np.inf),
        because="orders 1 and 2 in sqrt(s L) = 0.14 differ by a factor of about that",
        measured=low / high,
    )


def _order(found: xarray.Dataset, model: str) -> Claim:
    slopes = {
        kind: regression(found.rate.values**0.5, found[f"error, {kind}"].sel(model=model).values) for kind in KINDS
    }
    worst = max(slopes, key=lambda kind: abs(slopes[kind][0] - CLAIMED[model]))
    return Claim(
        statement=f"{LABELS[model]}: the distance at fixed time closes like s^({CLAIMED[model]}/2)",
        source=f"{PAPER}, section 2" if model != "corrected" else "initial velocity derived here",
        quantity=f"slope of log error on log sqrt(s), farther of the two: {worst}",
        predicted=(CLAIMED[model] - 0.15, CLAIMED[model] + 0.15),
        because="separates neighbouring orders three times over",
        measured=slopes[worst][0],
        uncertainty=slopes[worst][1],
    )


def _equal_forms(found: xarray.Dataset) -> Claim:
    return Claim(
        statement="in V = X' + sqrt(s) grad f the equations need no Hessian",
        source=f"{PAPER}, section 2 (phase-space form); the elimination is ours",
        quantity=f"largest distance between the two forms over {STEPS} steps, non-convex toy",
        predicted=(0.0, 1e-8),
        because="solver tolerance 1e-11 a step",
        measured=float(found.forms_apart.max()),
    )


def _falls(found: xarray.Dataset) -> Claim:
    rises = []
    for name in ("NAG-SC", "heavy ball", "NAG-C"):
        for side in ("flow", "method"):
            energy, floor = found[f"energy, {name}, {side}"].values, found[f"floor, {name}, {side}"].values
            rises.append(float(np.max(np.diff(energy) / (floor[1:] + floor[:-1]))))
    return Claim(
        statement="the energies of NAG-SC, heavy ball and NAG-C, with their rates, never rise: equations and methods",
        source=f"{PAPER}, theorems 1 to 6",
        quantity="largest rise between samples in units of the error of solver and rounding; logistic digits",
        predicted=(0.0, 10.0),
        because="ten times the estimated error of the energy",
        measured=max(0.0, *rises),
    )


def _bound(found: xarray.Dataset) -> np.ndarray:
    """(12 + 9 s L) |x_0 - x*|^2 / (2 sqrt(s) (t^3 - t_0^3)) at s = L = 1."""
    times = np.arange(found.sizes["convex_step"]) + 1.5
    with np.errstate(divide="ignore"):
        return 21 * float(found.radius_squared) / (2 * (times**3 - 1.5**3))


def _gradient_rate(found: xarray.Dataset) -> Claim:
    return Claim(
        statement="min |grad f|^2 <= (12 + 9 s L) |x_0 - x*|^2 / (2 sqrt(s) (t^3 - t_0^3)) along the equation of NAG-C",
        source=f"{PAPER}, theorem 5",
        quantity=f"largest ratio to the bound over {CONVEX_STEPS} steps; {MODES} modes, L/mu = {CONDITION:g}, s = 1/L",
        predicted=(0.0, 1.0),
        because="a bound is not exceeded",
        measured=float(np.max(found["gradient, flow"].values / _bound(found))),
    )


def relative_gap_error(found: xarray.Dataset, problem: str, kind: str) -> np.ndarray:
    """|f(X) - f(x_n)| / (f(x_n) - f*) at every step."""
    method, flow = (found[f"gap, {problem}, {kind}, {side}"].values for side in ("method", "flow"))
    return np.abs(flow / method - 1)


def _within(found: xarray.Dataset, problem: str) -> Claim:
    return Claim(
        statement="the equation of NAG-C with terms of size s predicts f - f* along the method at s = 1/L",
        source="derived and measured here",
        quantity=f"largest relative error over {CONVEX_STEPS} steps; {CONVEX_PROBLEMS[problem]}",
        predicted=(0.0, 0.05),
        because="the target set for this tool: what can still be seen in a plot",
        measured=float(relative_gap_error(found, problem, "next").max()),
    )


def draw(data: list[xarray.Dataset]) -> Figure:
    """The example above; orders, NAG-C's loss and gradient below."""
    (found,) = data
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(2, 3, figsize=(6.8, 4.8), layout="constrained")
        _draw_plane(axes[0, 0], found)
        _draw_distance(axes[0, 1], found)
        _draw_orders(axes[0, 2], found)
        _draw_energies(axes[1, 0], found)
        _draw_gradient(axes[1, 1], found)
        _draw_gap(axes[1, 2], found)
    return figure


def _draw_plane(panel: Any, found: xarray.Dataset) -> None:
    for kind, colour in zip(KINDS, COLOURS, strict=False):
        panel.plot(*found[f"{kind}, {PLANE_RATE:g}"].values.T, ".", color=colour, markersize=2.5, label=kind)
        panel.plot(*found[f"{kind}, corrected, {PLANE_RATE:g}"].values.T, color=colour, linewidth=0.7)
    low = found[f"heavy ball, low, {PLANE_RATE:g}"].values.T
    panel.plot(*low, color="black", linestyle=DASHES[1], linewidth=0.8, label="low resolution")
    panel.set(title=f"(a) $s = {PLANE_RATE:g}$", xlabel="$x_1$", ylabel="$x_2$")
    panel.set_ylim(-1.0, 1.8)
    panel.legend(fontsize="xx-small", loc="upper left", title="lines: high resolution", title_fontsize="xx-small")


def _draw_distance(panel: Any, found: xarray.Dataset) -> None:
    steps = np.arange(STEPS + 1)
    for kind, dashes in zip(KINDS, DASHES, strict=False):
        for model, colour in zip(MODELS, COLOURS, strict=False):
            row = found[f"distance, {kind}, {model}, {RATE:g}"]
            label = LABELS[model] if kind == "NAG-SC" else None
            panel.semilogy(steps[1:], row[1:], color=colour, linestyle=dashes, linewidth=0.9, label=label)
    panel.set(title=f"(b) $s = {RATE:g}$; heavy ball dashed", xlabel="step $n$", ylabel=r"$|x_n - X(n\sqrt{s})|$")
    panel.set_ylim(1e-5, 30)
    panel.legend(fontsize="xx-small", loc="upper right")


def _draw_orders(panel: Any, found: xarray.Dataset) -> None:
    roots = found.rate.values**0.5
    for kind, dashes in zip(KINDS, DASHES, strict=False):
        for model, colour in zip(MODELS, COLOURS, strict=False):
            row = found[f"error, {kind}"].sel(model=model)
            panel.loglog(roots, row, marker="o", markersize=2.5, color=colour, linestyle=dashes, linewidth=0.9)
    ends = roots[[0, -1]]
    panel.set_xticks(ends, [f"{root:.2g}" for root in ends])
    panel.minorticks_off()
    panel.set(title="(c) orders", xlabel=r"$\sqrt{s}$", ylabel="largest distance, $t \\leq 2$")


def _draw_energies(panel: Any, found: xarray.Dataset) -> None:
    steps = np.arange(0, ENERGY_STEPS + 1, 3)
    for name, colour in zip(("NAG-SC", "heavy ball", "NAG-C"), COLOURS, strict=False):
        for side, dashes, width in (("flow", "-", 1.6), ("method", DASHES[2], 1.0)):
            energy = found[f"energy, {name}, {side}"].values
            shade = colour if side == "flow" else "black"
            label = name if side == "flow" else ("methods" if name == "NAG-C" else None)
            panel.semilogy(steps, energy / energy[0], color=shade, linestyle=dashes, linewidth=width, label=label)
    panel.set(title="(d) energies, logistic digits", xlabel="step $n$", ylabel="$E(t) / E(0)$")
    panel.legend(fontsize="xx-small")


def _draw_gradient(panel: Any, found: xarray.Dataset) -> None:
    times = np.arange(CONVEX_STEPS + 1) + 1.5
    panel.loglog(times, found["gradient, flow"], color=COLOURS[0], label="equation")
    panel.loglog(times, found["gradient, method"], color=COLOURS[1], linestyle=DASHES[1], label="NAG-C")
    panel.loglog(times[1:], _bound(found)[1:], color="0.6", linestyle=":", label="bound, $t^{-3}$")
    panel.set(title=f"(e) NAG-C, {MODES} modes, $s = 1/L$", xlabel="$t$", ylabel=r"$\min |\nabla f|^2$")
    panel.legend(fontsize="xx-small")


def _draw_gap(panel: Any, found: xarray.Dataset) -> None:
    steps = np.arange(CONVEX_STEPS + 1)
    for problem, dashes in zip(CONVEX_PROBLEMS, ("-", DASHES[1]), strict=True):
        for (kind, name), colour in zip(GAP_LABELS.items(), COLOURS, strict=False):
            error = relative_gap_error(found, problem, kind)
            label = name if problem == "quadratic" else None
            panel.semilogy(steps[1:], error[1:], color=colour, linestyle=dashes, linewidth=0.8, label=label)
    panel.axhline(0.05, color="0.75", linewidth=0.8, zorder=0)
    panel.set(title="(f) error of $f - f^*$; logistic dashed", xlabel="step $n$")
    panel.set_ylim(1e-6, 1e6)
    panel.legend(fontsize="xx-small", loc="upper right")
