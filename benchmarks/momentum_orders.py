"""Measured orders of the momentum equations, each in its own clock, and what they cost on the digits MLP.

    python benchmarks/momentum_orders.py

The published starts stand beside the corrected ones. Orders are in sqrt(h) where the clock is n sqrt(h), else in h.
"""

import functools
import time
from collections.abc import Callable
from typing import NamedTuple

import jax

jax.config.update("jax_enable_x64", True)

import discrete
import flows
import landscapes
from comparisons import measure_order


class Case(NamedTuple):
    """method: learning rate -> method.  flow: method -> flow.  duration, samples and `after` in the flow's clock."""

    method: Callable
    flow: Callable
    clock: float = 0.5


STRONG_CONVEXITY = 0.5
FRICTION = 1.0


def published(flow: type) -> Callable:
    return lambda method: flow(method, start="published")


def strongly_convex(make: Callable) -> Callable:
    return lambda h: make(h, STRONG_CONVEXITY)


CASES = {
    "Kovachki-Stuart, heavy ball": Case(lambda h: discrete.HeavyBall(h, 0.5), flows.KovachkiStuart, 1),
    "  published velocity": Case(lambda h: discrete.HeavyBall(h, 0.5), published(flows.KovachkiStuart), 1),
    "Kovachki-Stuart, Nesterov": Case(lambda h: discrete.Nesterov(h, 0.7), flows.KovachkiStuart, 1),
    "  published velocity ": Case(lambda h: discrete.Nesterov(h, 0.7), published(flows.KovachkiStuart), 1),
    "invariant manifold, heavy ball": Case(
        lambda h: discrete.HeavyBall(h, 0.5), lambda m: flows.InvariantManifold(m, start="rest"), 1
    ),
    "rescaled gradient flow": Case(lambda h: discrete.HeavyBall(h, 0.5), flows.GradientFlow, 1),
    "Su-Boyd-Candes, r = 3": Case(discrete.nesterov_convex, flows.SuBoydCandes),
    "Su-Boyd-Candes, r = 5": Case(lambda h: discrete.nesterov_convex(h, 5.0), flows.SuBoydCandes),
    "low resolution, heavy ball": Case(strongly_convex(discrete.heavy_ball_strongly_convex), flows.LowResolution),
    "low resolution, NAG-SC": Case(strongly_convex(discrete.nesterov_strongly_convex_look_ahead), flows.LowResolution),
    "high resolution, heavy ball": Case(strongly_convex(discrete.heavy_ball_strongly_convex), flows.HighResolution),
    "  published velocity  ": Case(
        strongly_convex(discrete.heavy_ball_strongly_convex), published(flows.HighResolution)
    ),
    "high resolution, NAG-SC": Case(
        strongly_convex(discrete.nesterov_strongly_convex_look_ahead), flows.HighResolution
    ),
    "  published velocity   ": Case(
        strongly_convex(discrete.nesterov_strongly_convex_look_ahead), published(flows.HighResolution)
    ),
    "  with its Hessian product": Case(
        strongly_convex(discrete.nesterov_strongly_convex_look_ahead),
        lambda m: flows.HighResolution(m, form="hessian"),
    ),
    "high resolution, symplectic Euler": Case(strongly_convex(discrete.SymplecticEuler), flows.HighResolution),
    "high resolution, NAG-C": Case(discrete.nesterov_convex_look_ahead, flows.HighResolutionConvex),
    "high resolution, convex, other points": Case(discrete.nesterov_convex, flows.HighResolutionConvex),
    "high resolution, NAG-C, order 3": Case(
        discrete.nesterov_convex_look_ahead, functools.partial(flows.HighResolutionConvex, order=3)
    ),
    "Polyak, heavy ball": Case(lambda h: discrete.HeavyBall(h, 1 - FRICTION * h**0.5), flows.Polyak),
    "Muehlebach-Jordan, Nesterov": Case(lambda h: discrete.Nesterov(h, 1 - FRICTION * h**0.5), flows.MuehlebachJordan),
    "Bregman, p = 2": Case(lambda h: discrete.bregman_leapfrog(h, 2), flows.Bregman),
    "Bregman, p = 3": Case(lambda h: discrete.bregman_leapfrog(h, 3), flows.Bregman),
    "Bregman, p = 4": Case(lambda h: discrete.bregman_leapfrog(h, 4), flows.Bregman),
}
PROBLEMS = {
    "quadratic": landscapes.quadratic(eigenvalues=(0.5, 1.0, 2.0, 4.0)),
    "logistic": landscapes.logistic_digits(),
    "two valleys": landscapes.two_valleys(),
}
ROOT_STEPS = (60, 90, 140, 200, 300)
RATES = (0.001, 0.0007, 0.0005, 0.00035, 0.00025)
DURATION = {0.5: 2.0, 1: 0.5}


def measured(case: Case, problem: landscapes.Problem):
    """The order of a case; from rest, over the second half of the time where it has a transient that must die."""
    duration = DURATION[case.clock]
    rates = RATES if case.clock == 1 else [(duration / n) ** 2 for n in ROOT_STEPS]
    return measure_order(
        case.method,
        case.flow,
        problem.loss,
        problem.params,
        learning_rates=rates,
        duration=duration,
        start="rest",
        after=duration / 2 if case.clock == 1 else 0.0,
    )


def cost(case: Case, problem: landscapes.Problem, *, steps: int = 200) -> str:
    """Work and time of the flow for each step of the method, at a learning rate of 0.02."""
    flow = case.flow(case.method(0.02))
    run = {"steps": steps, "every": steps, "observe": {"loss": problem.loss}}
    flows.solve(flow, problem.loss, problem.params, **run)
    begin = time.perf_counter()
    solution = flows.solve(flow, problem.loss, problem.params, **run)
    seconds = time.perf_counter() - begin
    spent = solution.cost
    return (
        f"{spent.gradients / steps:6.2f} gradients {spent.hessian_products / steps:6.2f} products "
        f"{1e3 * seconds / steps:6.2f} ms a step, {solution.status}"
    )


if __name__ == "__main__":
    print(f"{'order, measured (claimed)':36s}" + "".join(f"{name:>20s}" for name in PROBLEMS))
    misses = 0
    for name, case in CASES.items():
        row = [measured(case, problem) for problem in PROBLEMS.values()]
        misses += sum(not found.holds for found in row)
        print(f"{name:36s}" + "".join(f"{f'{f.slope:.3f} ({f.claimed})':>20s}" for f in row), flush=True)
    print(f"{misses} of {len(CASES) * len(PROBLEMS)} orders farther than 0.15 from the claim")
    mlp = landscapes.digits_mlp()
    print("\ncost on the digits MLP, default solver, for each step of the method")
    for name, case in CASES.items():
        print(f"{name:36s}{cost(case, mlp)}", flush=True)
