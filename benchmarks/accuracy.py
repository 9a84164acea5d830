"""The accuracy of the ground floors in numbers: closed forms, orders of the flows, plateaus at the edge."""

import jax

jax.config.update("jax_enable_x64", True)

import numpy as np
import scipy.linalg
from rich.console import Console
from rich.table import Table

import comparisons
import discrete
import flows
import landscapes

METHODS = {
    "gradient descent": discrete.GradientDescent,
    "heavy ball 0.5": lambda h: discrete.HeavyBall(h, 0.5),
    "nesterov 0.5": lambda h: discrete.Nesterov(h, 0.5),
}
FLOWS = {"gradient flow": flows.GradientFlow, "modified, order 2": flows.ModifiedFlow}


def closed_forms() -> None:
    """Iterates against the matrix recursion in extended precision; gradient flow against the matrix exponential."""
    problem = landscapes.quadratic(eigenvalues=np.geomspace(1e-3, 10, 10))
    matrix, start = np.asarray(problem.loss.matrix, np.longdouble), np.asarray(problem.params, np.longdouble)
    for method in (discrete.GradientDescent(0.1), discrete.HeavyBall(0.1, 0.9), discrete.Nesterov(0.1, 0.9)):
        h, b = np.longdouble(method.learning_rate), np.longdouble(getattr(method, "momentum", 0.0))
        ahead = b if isinstance(method, discrete.Nesterov) else np.longdouble(0)
        x, v = start, np.zeros_like(start)
        for _ in range(1000):
            v = b * v - h * (matrix @ (x + ahead * v))
            x = x + v
        found = discrete.run(method, problem.loss, problem.params, steps=1000, every=1000).final_params
        error = np.linalg.norm(np.asarray(found) - x) / np.linalg.norm(x)
        print(f"{type(method).__name__}: iterate 1,000 against the matrix recursion {float(error):.1e} (target 1e-12)")
    method = discrete.GradientDescent(0.1)
    flow = flows.solve(flows.GradientFlow(method), problem.loss, problem.params, steps=1000, every=100)
    exact = scipy.linalg.expm(-100.0 * np.asarray(problem.loss.matrix)) @ np.asarray(problem.params)
    error = np.linalg.norm(np.asarray(flow.final_params) - exact) / np.linalg.norm(exact)
    print(f"gradient flow at t = 100 against the matrix exponential {error:.1e} (target 1e-9)")


def orders() -> None:
    """Measured orders of both flows: three methods on three problems, momentum 0.9 inside and outside its range."""
    problems = {
        "2-D toy": landscapes.two_valleys(),
        "logistic digits": landscapes.logistic_digits(),
        "tanh MLP, 300 digits": landscapes.digits_mlp(widths=(16, 16), examples=300),
    }
    table = Table(title="measured orders, 95 % confidence", title_justify="left")
    for head in ("problem", "method", "flow", "claimed", "measured", "verdict"):
        table.add_column(head)
    for label, problem in problems.items():
        for name, method in METHODS.items():
            top = 0.02 if name == "gradient descent" else 0.005
            for flow in FLOWS:
                table.add_row(label, name, flow, *measured(problem, method, FLOWS[flow], np.geomspace(top / 6, top, 6)))
    for name, method in {"heavy ball": discrete.HeavyBall, "nesterov": discrete.Nesterov}.items():
        for where, top in {"inside its range": 4e-4, "outside its range": 2e-2}.items():
            for flow in FLOWS:
                found = measured(
                    problems["2-D toy"], lambda h, m=method: m(h, 0.9), FLOWS[flow], np.geomspace(top / 6, top, 6)
                )
                table.add_row(f"2-D toy, {where}", f"{name} 0.9", flow, *found)
    Console(width=120).print(table)


def measured(problem: landscapes.Problem, method, flow, rates) -> tuple[str, str, str]:
    found = comparisons.measure_order(
        method, flow, problem.loss, problem.params, learning_rates=[float(h) for h in rates], duration=1.0
    )
    if found.verdict == "undecided":
        return str(found.claimed), found.reasons[0] + "; " + found.reasons[-1], found.verdict
    return str(found.claimed), f"{found.slope:.3f} +- {found.confidence:.3f}", found.verdict


def plateaus() -> None:
    """Mean sharpness over the last third of a run, over the method's own threshold (target 0.95 to 1.10)."""
    digits, chebyshev = landscapes.digits_mlp(), landscapes.chebyshev_mlp()
    cases = (
        (digits, discrete.GradientDescent(0.1), 3_000, 10),
        (chebyshev, discrete.HeavyBall(0.2, 0.5), 20_000, 50),
        (chebyshev, discrete.Nesterov(0.1, 0.5), 20_000, 50),
    )
    for problem, method, steps, every in cases:
        observe = {"sharpness": landscapes.Sharpness(problem.loss)}
        run = discrete.run(method, problem.loss, problem.params, steps=steps, every=every, observe=observe)
        ratio = run.observations["sharpness"][:, 0] / method.stability_threshold()
        crossing = int(run.steps[np.flatnonzero(ratio > 1)[0]])
        late = ratio[-len(ratio) // 3 :].mean()
        print(f"{problem.name}, {method}: sharpness over threshold {ratio[0]:.2f} at the start, ")
        print(f"  above 1 from step {crossing} on, mean of the last third {late:.3f} (target 0.95 to 1.10)")


if __name__ == "__main__":
    closed_forms()
    plateaus()
    orders()
