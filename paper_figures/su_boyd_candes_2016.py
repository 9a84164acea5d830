"""Su, Boyd and Candes 2016, "A differential equation for modeling Nesterov's accelerated gradient method".

Their figure 1 on f = 0.02 x_1^2 + 0.005 x_2^2, the scaled error for several r, and speed restarting.
"""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import optax
import xarray
from matplotlib.figure import Figure

import comparisons
import discrete
import flows
import landscapes
from comparisons.order import regression
from comparisons.plot import COLOURS, DASHES, STYLE
from landscapes import MotionObservable, Params

from .claim import Claim
from .stored import load as load, stored

PAPER = "Su, Boyd and Candes 2016"
RATES, DURATION = (1.0, 0.25, 0.05), 300.0
FRICTIONS, SCALED_DURATION, SCALED_RATE = (1.0, 2.0, 3.0, 4.0, 5.0), 60.0, 0.04
ORDER_STEPS = (50, 70, 100, 140, 200)
MODES, CONDITION = 200, 1e3
RESTART_DURATION, QUICK_RESTART_DURATION, RESTART_CLOCK = 1200.0, 400.0, 0.2


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


def judge(data: list[xarray.Dataset]) -> list[Claim]:
    """The energy and the rate, the order, and speed restarting."""
    (found,) = data
    return [_falls(found), _rises(found), _rate(found), _integral(found), _order(found), *_restarts(found)]


def _rise(found: xarray.Dataset, r: float) -> float:
    """The largest rise of the energy between samples, 0 if there is none, over the error of solver and rounding."""
    energy, floor = found.energy.sel(r=r).values, found.floor.sel(r=r).values
    return max(0.0, float(np.max(np.diff(energy) / (floor[1:] + floor[:-1]))))


def _falls(found: xarray.Dataset) -> Claim:
    return Claim(
        statement="for convex f and r >= 3 the energy 2t^2/(r-1) (f - f*) + (r-1) |X + t X'/(r-1) - x*|^2 never rises",
        source=f"{PAPER}, theorems 3 and 5",
        quantity="largest rise between samples, in units of the solver's error; r = 3, 4, 5, logistic digits",
        predicted=(0.0, 10.0),
        because="ten times the estimated error of the energy",
        measured=max(_rise(found, r) for r in (3.0, 4.0, 5.0)),
    )


def _rises(found: xarray.Dataset) -> Claim:
    return Claim(
        statement="for r < 3 it may rise: the proof, and the rate t^-2 with it, ends at r = 3",
        source=f"{PAPER}, section 4.2",
        quantity="largest rise between samples, in units of the solver's error; r = 2, logistic digits",
        predicted=(10.0, np.inf),
        because="ten times the estimated error of the energy",
        measured=_rise(found, 2.0),
    )


def _rate(found: xarray.Dataset) -> Claim:
    return Claim(
        statement="f(X(t)) - f* <= (r - 1)^2 |x_0 - x*|^2 / (2 t^2)",
        source=f"{PAPER}, theorem 5",
        quantity="largest (f - f*) over the bound, r = 3, 4, 5",
        predicted=(0.0, 1.0),
        because="a bound is not exceeded",
        measured=float((found.gap / found.bound).sel(r=slice(3.0, None)).max()),
    )


def _integral(found: xarray.Dataset) -> Claim:
    shares = []
    for r in (4.0, 5.0):
        gap, time = found.gap.sel(r=r).values, found.time.values
        # The bound of the rate is (r - 1)^2 |x_0 - x*|^2 / (2 t^2).
        distance = float(found.bound.sel(r=r)[-1]) * time[-1] ** 2
        shares.append(np.trapezoid(time * gap, time) * (r - 3) / distance)
    return Claim(
        statement="for r > 3 the integral of t (f - f*) is at most (r - 1)^2 |x_0 - x*|^2 / (2 (r - 3))",
        source=f"{PAPER}, theorem 5",
        quantity="integral over the bound, the larger of r = 4 and 5",
        predicted=(0.0, 1.0),
        because="a bound is not exceeded",
        measured=float(max(shares)),
    )


def _order(found: xarray.Dataset) -> Claim:
    slope, width = regression(found.rate.values**0.5, found.error.values)
    return Claim(
        statement="as s -> 0 Nesterov's iterates converge to the equation at t = n sqrt(s); measured: like sqrt(s)",
        source=f"{PAPER}, theorem 2 (without a rate)",
        quantity="slope of log error on log sqrt(s), up to time 4, logistic digits",
        predicted=(0.85, 1.15),
        because="separates neighbouring orders three times over",
        measured=slope,
        uncertainty=width,
    )


def pieces(found: xarray.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Durations between restarts of the flow, to a sample, and the factor by which each piece multiplied the loss."""
    speed, loss = found.flow_restarted_speed.values, found.flow_restarted_loss.values
    restarts = np.flatnonzero(np.diff(speed) < 0) + 1
    at = np.concatenate([[0], restarts])
    return np.diff(at) * RESTART_CLOCK, loss[at[1:]] / loss[at[:-1]]


def _restarts(found: xarray.Dataset) -> list[Claim]:
    durations, factors = pieces(found)
    allowed = 1 - 3 / (25 * CONDITION) * (67 / 71) ** 2
    times = np.arange(found.sizes["fine"]) * RESTART_CLOCK
    loss, third = np.log(found.flow_restarted_loss.values), len(times) // 3
    early, late = (np.polyfit(times[part], loss[part], 1)[0] for part in (slice(third, 2 * third), slice(-third, None)))
    steps = np.arange(found.sizes["coarse"])
    of_method = np.polyfit(steps[len(steps) // 3 :], np.log(found.method_restarted_loss.values)[len(steps) // 3 :], 1)[
        0
    ]
    quadratic = f"{MODES} modes, L/mu = {CONDITION:g}"
    return [
        Claim(
            statement="speed restarting takes at least 4/(5 sqrt L) between restarts",
            source=f"{PAPER}, lemma 11",
            quantity=f"shortest of {len(durations)} pieces times sqrt L, to a sample of {RESTART_CLOCK}; {quadratic}",
            predicted=(0.8 - RESTART_CLOCK, np.inf),
            because="restarts are seen at the next sample",
            measured=float(durations.min()),
        ),
        Claim(
            statement="every piece multiplies f - f* by at most 1 - (3 mu/(25 L)) (67/71)^2",
            source=f"{PAPER}, lemma 12",
            quantity=f"largest factor of a piece; the theorem's is {allowed:.6f}",
            predicted=(0.0, allowed),
            because="a bound is not exceeded",
            measured=float(factors.max()),
        ),
        Claim(
            statement="speed restarting gives a linear rate on strongly convex f",
            source=f"{PAPER}, theorem 10",
            quantity=f"rate in the last third of the time over that in the middle one; rate {-late:.4f} a unit of time",
            predicted=(0.8, 1.25),
            because="pieces of a length of about 70 cut a third unevenly",
            measured=float(late / early),
        ),
        Claim(
            statement="the restarted method inherits the rate of the restarted equation",
            source=f"{PAPER}, section 5.1",
            quantity="rate of the method at s = 1/L over that of the equation, per unit of time",
            predicted=(0.8, 1.25),
            because="as above",
            measured=float(of_method / late),
        ),
    ]


def draw(data: list[xarray.Dataset]) -> Figure:
    """Figure 1 of the paper above; scaled errors and restarting below."""
    (found,) = data
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(2, 2, figsize=(6.8, 5.0), layout="constrained")
        _draw_paths(axes[0, 0], found)
        _draw_losses(axes[0, 1], found)
        _draw_scaled(axes[1, 0], found)
        _draw_restarts(axes[1, 1], found)
    return figure


def _draw_paths(panel: Any, found: xarray.Dataset) -> None:
    for h, colour, dashes in zip(RATES, COLOURS, DASHES, strict=False):
        path = found[f"path_method_{h:g}"].values.T
        panel.plot(*path, color=colour, linestyle=dashes, linewidth=0.9, label=f"$s = {h:g}$")
    panel.plot(*found[f"path_flow_{RATES[-1]:g}"].values.T, color="black", linewidth=0.9, label="equation")
    panel.set(title="(a) $f = 0.02 x_1^2 + 0.005 x_2^2$", xlabel="$x_1$", ylabel="$x_2$")
    panel.legend(fontsize="xx-small")


def _draw_losses(panel: Any, found: xarray.Dataset) -> None:
    for h, colour, dashes in zip(RATES, COLOURS, DASHES, strict=False):
        loss = found[f"loss_method_{h:g}"].values
        panel.semilogy(np.arange(len(loss)) * h**0.5, loss, color=colour, linestyle=dashes, label=f"$s = {h:g}$")
    loss = found[f"loss_flow_{RATES[-1]:g}"].values
    times = np.arange(len(loss)) * RATES[-1] ** 0.5
    panel.semilogy(times, loss, color="black", label="equation")
    panel.semilogy(times[1:], 4 / times[1:] ** 2, color="0.6", linestyle=":", label="bound $2|x_0|^2/t^2$")
    panel.set(title="(b) rate", xlabel=r"$t = n\sqrt{s}$", ylabel="$f - f^*$")
    panel.set_ylim(1e-13, 1)
    panel.legend(fontsize="xx-small")


def _draw_scaled(panel: Any, found: xarray.Dataset) -> None:
    for r, colour, dashes in zip(FRICTIONS, COLOURS, DASHES, strict=False):
        scaled = found.time.values**2 * found.gap.sel(r=r).values
        panel.plot(found.time, scaled, color=colour, linestyle=dashes, label=f"$r = {r:g}$")
    panel.set(title="(c) scaled error, logistic regression", xlabel="$t$", ylabel="$t^2 (f - f^*)$")
    panel.set_yscale("log")
    panel.set_ylim(1e-4, 1e3)
    panel.legend(fontsize="xx-small", ncols=2)


def _draw_restarts(panel: Any, found: xarray.Dataset) -> None:
    times, steps = np.arange(found.sizes["fine"]) * RESTART_CLOCK, np.arange(found.sizes["coarse"])
    panel.semilogy(times, found.flow_plain_loss, color=COLOURS[0], linewidth=0.8, label="equation")
    panel.semilogy(steps, found.method_plain_loss, color=COLOURS[5], linestyle=DASHES[1], label="method, $s = 1/L$")
    panel.semilogy(times, found.flow_restarted_loss, color=COLOURS[1], label="equation, restarted")
    panel.semilogy(steps, found.method_restarted_loss, color=COLOURS[4], linestyle=DASHES[1], label="method, restarted")
    panel.set(title=f"(d) restarts, {MODES} modes, $L/\\mu = {CONDITION:g}$", xlabel="$t$", ylabel="$f - f^*$")
    panel.legend(fontsize="xx-small", loc="lower left")
