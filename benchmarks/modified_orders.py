"""Measured orders of modified flows of order 1 to 5: three methods on three problems, as a table and as a picture.

Momentum 0.5. Every row is a regression over six step sizes with h S / (1 - b)^2 from 0.03 to 0.15, S the sharpness at
the start, over a time of 6/S; momentum methods start on the slow manifold. A point counts where the error is at least
ten times the floor of solver and rounding. At the end, heavy ball and Nesterov from rest: the slope over the second
half, with and without the corrected start. Target: within 0.15 of the claim. Writes runs/modified_orders.png and .svg.
"""

from functools import partial
from pathlib import Path

import jax

jax.config.update("jax_enable_x64", True)

import equinox as eqx
import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import NullLocator
from rich.console import Console
from rich.table import Table

import comparisons
import discrete
import flows
import landscapes
from comparisons.plot import COLOURS, STYLE
from flows.modified.modified_flow import Origin

ORDERS = (1, 2, 3, 4, 5)
MOMENTUM = 0.5
METHODS = {
    "gradient descent": (discrete.GradientDescent, 0.0),
    "heavy ball": (lambda h: discrete.HeavyBall(h, MOMENTUM), MOMENTUM),
    "Nesterov": (lambda h: discrete.Nesterov(h, MOMENTUM), MOMENTUM),
}
PROBLEMS = {
    "2-D toy": landscapes.two_valleys,
    "logistic regression, digits": landscapes.logistic_digits,
    "tanh MLP, 100 digits": lambda: landscapes.digits_mlp(widths=(16,), examples=100),
}
OUT = Path("runs")


def measured(make_method, momentum: float, make_flow, problem: landscapes.Problem, **settings) -> comparisons.Order:
    sharpness = float(eqx.filter_jit(landscapes.top_eigenpairs)(problem.loss, problem.params).values[0])
    rates = np.geomspace(0.15, 0.03, 6) * (1 - momentum) ** 2 / sharpness
    return comparisons.measure_order(
        make_method,
        make_flow,
        problem.loss,
        problem.params,
        learning_rates=[float(h) for h in rates],
        duration=6 / sharpness,
        **({"after": 3 / sharpness} if settings else {}),
        **settings,
    )


def row(found: comparisons.Order) -> tuple[str, ...]:
    floor = np.max(found.floors[found.used] / found.errors[found.used]) if found.used.any() else np.nan
    slope = f"{found.slope:.3f} +- {found.confidence:.3f}"
    return slope, f"{found.used.sum()}", f"{floor:.0e}", found.verdict


def main() -> None:
    table = Table("problem", "method", "claimed", "slope", "points", "floor / error", "verdict")
    plt.style.use(STYLE)
    figure, axes = plt.subplots(3, 3, figsize=(7, 7), sharex=True, layout="constrained")
    for column, (label, make) in enumerate(PROBLEMS.items()):
        problem = make()
        for line, (name, (method, momentum)) in enumerate(METHODS.items()):
            panel = axes[line, column]
            for order in ORDERS:
                found = measured(method, momentum, lambda m, p=order: flows.ModifiedFlow(m, order=p), problem)
                table.add_row(label, name, str(order), *row(found))
                draw(panel, found, order)
            panel.set(xscale="log", yscale="log")
            if column == 0:
                panel.set_ylabel(f"{name}\nmax $|x_n - X(nh)|$")
            if line == 0:
                panel.set_title(label)
            if line == 2:
                panel.set_xlabel(r"$hS/(1-\beta)^2$")
                panel.set_xticks([0.03, 0.06, 0.12], ["0.03", "0.06", "0.12"])
                panel.xaxis.set_minor_locator(NullLocator())
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5)
    OUT.mkdir(exist_ok=True)
    for kind in ("png", "svg"):
        figure.savefig(OUT / f"modified_orders.{kind}")
    from_rest(table)
    Console(width=110).print(table)
    print(f"wrote {OUT}/modified_orders.png and .svg")


def draw(panel, found: comparisons.Order, order: int) -> None:
    style = {"color": COLOURS[order - 1], "marker": "os^Dv"[order - 1], "markersize": 3}
    panel.plot(found.regime, found.errors, label=f"order {order}", **style)
    # The triangle: the claimed slope, beside the line that should have it.
    right, left = found.regime[found.used][[1, 2]]
    top = found.errors[found.used][1] / 2.5
    bottom = top * (left / right) ** order
    panel.plot([left, right, right, left], [bottom, top, bottom, bottom], color="0.6", linewidth=0.6)


def from_rest(table: Table) -> None:
    problem = landscapes.two_valleys()
    starts: tuple[Origin, ...] = ("params", "rest")
    for name in ("heavy ball", "Nesterov"):
        method, momentum = METHODS[name]
        for order in (2, 3):
            for start in starts:
                make = partial(flows.ModifiedFlow, order=order, start=start)
                found = measured(method, momentum, make, problem, start="rest")
                note = "corrected start" if start == "rest" else "start at x_0"
                table.add_row("2-D toy, from rest", f"{name}, {note}", str(order), *row(found))


if __name__ == "__main__":
    main()
