"""Models of the edge of stability in numbers: accuracy, what the central flow costs, and how it is best stepped.

    python benchmarks/edge.py [PART ...] [--steps N]

scorecard: every model on 300 digits, 64-20-20-10 tanh, h = 0.15, from step 100, against the averaged iterates. Targets:
    edge flow of order 2 within 1e-3 at the end, spread and maximum of the sharpness within 5 %; central flow:
    averaged loss within 5 %, a fifth of gradient flow's distance.
several: with up to three critical directions, h = 0.2, from step 60, edge flow with and without what swings there.
cost: gradient-equivalents of a step of the central flow with two critical directions (120), for schemes and substeps.
momentum, adaptive: central flow and edge flow of heavy ball, Nesterov, scalar RMSProp and RMSProp.
speed: discrete, averaged, central and stable flow of 500 digits, 64-32-32-10 gelu, h = 0.2, four eigenvalues a step.
default: central flow and edge flow on the default digits MLP, h = 0.1, from its own start.
seed: the onset in both precisions, and that of edge flow seeded like them.
start: edge flow of order 2 from a start beyond the edge, after so many steps of the method itself.
stepping: evaluations of edge flow's field for a step of the method, by solver, and what each costs in accuracy.
"""

import argparse
import time
from typing import Any

import diffrax
import jax
import numpy as np
import optax

jax.config.update("jax_enable_x64", True)

from rich.console import Console

import comparisons
import discrete
import flows
import landscapes

WARM_UP, EVERY = 100, 20
GRADIENTS_OF_A_PRODUCT = 1.65
INTEGRATOR = flows.explicit(rtol=1e-7, atol=1e-12)
CONSOLE = Console(width=150)


def digits() -> landscapes.Problem:
    return landscapes.digits_mlp(widths=(20, 20), examples=300)


def warmed(method: Any, problem: landscapes.Problem, steps: int = WARM_UP) -> tuple[Any, Any]:
    """Params and state after the first steps."""
    run = discrete.run(method, problem.loss, problem.params, steps=steps)
    return run.final_params, run.final_state


def card(
    method: Any, models: dict[str, Any], steps: int, warm_up: int = WARM_UP, **settings: Any
) -> comparisons.Scorecard:
    problem = digits()
    params, state = warmed(method, problem, warm_up)
    found = comparisons.scorecard(
        method,
        {name: make(method) for name, make in models.items()},
        problem,
        params,
        state=state,
        steps=steps,
        every=EVERY,
        integrator=INTEGRATOR,
        **settings,
    )
    CONSOLE.print(found.table())
    return found


def scorecard(steps: int) -> None:
    rate = 0.15
    models = {
        "gradient flow": flows.GradientFlow,
        "self-stabilization": flows.SelfStabilization,
        "central": flows.CentralFlow,
        "central, modified": lambda method: flows.CentralFlow(method, order=2),
        "rod": flows.RodFlow,
        **{f"edge-{p}": lambda method, p=p: flows.EdgeFlow(method, order=p) for p in (1, 2, 3)},
    }
    found = card(discrete.GradientDescent(rate), models, steps, k=3)
    central = found.comparison.flows["central"]
    late = found.comparison.steps >= found.onset
    held = central.observations["sharpness"][:, 0][late] * rate / 2
    print(f"central: S h/2 after the onset from {held.min():.6f} to {held.max():.6f},", end=" ")
    print(f"critical directions up to {central.predictions['critical'].max()},", end=" ")
    print(f"largest complementarity residual {central.predictions['residual'].max():.1e}")


def several(steps: int) -> None:
    problem, method, warm_up = digits(), discrete.GradientDescent(0.2), 60
    first = discrete.run(method, problem.loss, problem.params, steps=warm_up + 1, keep_params=True).params
    # Close to the edge what swings at the start has not died out, and is what grows beyond it.
    swing = jax.tree.map(lambda rows: jax.numpy.asarray(2 * rows[-2] - rows[-3] - rows[-1]) / 4, first)
    models = {
        "gradient flow": flows.GradientFlow,
        "central": flows.CentralFlow,
        **{f"edge-{p}": lambda method, p=p: flows.EdgeFlow(method, order=p, swing=swing) for p in (1, 2)},
        "edge-2, without the swing": lambda method: flows.EdgeFlow(method, order=2),
    }
    found = card(method, models, steps, warm_up, k=3, timed=False)
    print(f"critical directions up to {found.comparison.flows['central'].predictions['critical'].max()}")


def cost(steps: int) -> None:
    """Along the central flow's own course, where two directions are critical and stay so."""
    del steps
    problem, method, count = digits(), discrete.GradientDescent(0.2), 300
    course = flows.CentralFlow(method)
    start = flows.solve(course, problem.loss, warmed(method, problem, 250)[0], steps=1000, every=1000).final_params
    reference = flows.solve(flows.CentralFlow(method, substeps=16), problem.loss, start, steps=count, every=count)
    for scheme, substeps in (("midpoint", 2), ("midpoint", 1), ("euler", 4), ("euler", 2), ("euler", 8)):
        flow = flows.CentralFlow(method, scheme=scheme, substeps=substeps)
        for _ in range(2):
            found = flows.solve(flow, problem.loss, start, steps=count, every=10)
        work = found.cost
        error = apart(found.final_params, reference.final_params)
        equivalents = ((work.gradients or 0) + GRADIENTS_OF_A_PRODUCT * (work.hessian_products or 0)) / count
        critical = found.predictions["critical"][1:]
        print(
            f"{scheme:9s} {substeps} substeps: {equivalents:6.1f} gradient-equivalents a step, "
            f"{1e3 * work.seconds / count:5.1f} ms, error {error:.1e}, "
            f"critical {critical.min()} to {critical.max()}, {found.status}"
        )


def momentum(steps: int) -> None:
    for method in (discrete.HeavyBall(0.2, 0.3), discrete.Nesterov(0.11, 0.5)):
        print(type(method).__name__)
        models = {
            "gradient flow": flows.GradientFlow,
            "central": flows.CentralFlow,
            "edge-1": lambda m: flows.EdgeFlow(m, order=1),
            "edge-2": lambda m: flows.EdgeFlow(m, order=2),
        }
        card(method, models, steps, timed=False)


def adaptive(steps: int) -> None:
    for method, warm_up in (
        (discrete.ScalarRMSProp(0.02, 0.95, bias_correction=True), 40),
        (discrete.RMSProp(0.0005, 0.99, bias_correction=True), 100),
    ):
        print(type(method).__name__)
        models = {
            "stable": lambda m: flows.StableFlow(m),
            "central": lambda m: flows.CentralFlow(m, critical=5),
            "edge-2": lambda m: flows.EdgeFlow(m, order=2),
        }
        found = card(method, models, steps, warm_up, timed=False)
        late = found.comparison.steps >= found.onset
        held = found.comparison.flows["central"].observations["effective_sharpness"][:, 0] * method.learning_rate
        print(f"central: h times effective sharpness after the onset, mean {held[late[: len(held)]].mean():.4f}")


def speed(steps: int) -> None:
    del steps
    problem = landscapes.digits_mlp(widths=(32, 32), examples=500, activation="gelu")
    method, count = discrete.GradientDescent(0.2), 200
    observe = {"sharpness": landscapes.Sharpness(problem.loss, k=4)}
    reference = central_flow_of(method, problem, count, substeps=8)
    for scheme, substeps in (("midpoint", 2), ("midpoint", 1), ("euler", 4)):
        end = central_flow_of(method, problem, count, scheme=scheme, substeps=substeps)
        print(f"central flow, {scheme}, {substeps} substeps: error {apart(end, reference):.1e}")
    settings = {
        "as they come": ({}, flows.explicit()),
        "one substep, rtol 1e-6": ({"substeps": 1}, flows.explicit(rtol=1e-6)),
    }
    for label, (substeps, integrator) in settings.items():
        central = flows.CentralFlow(method, critical=4, **substeps)
        models = {"central": central, "stable": flows.GradientFlow(method)}
        seconds = []
        for _ in range(3):
            begin = time.perf_counter()
            run = comparisons.compare(
                discrete.TimeAveraged(method),
                models,
                problem,
                steps=count,
                every=1,
                observe=observe,
                integrator=integrator,
            )
            seconds.append(time.perf_counter() - begin)
        first, *others = (1e3 * taken / count for taken in seconds)
        print(f"{label}: {min(others):.1f} ms a step, {first:.1f} with compilation (target: below 49)")
    print({name: side.status for name, side in run.flows.items()})
    for tolerance in (None, 1e-11):
        sharpness = landscapes.Sharpness(problem.loss, k=4, tolerance=tolerance)
        found = discrete.run(method, problem.loss, problem.params, steps=count, observe={"s": sharpness}).observations
        late = slice(count // 4, None)
        print(
            f"tolerance {tolerance}: {found['s_hessian_products'][late].mean():.1f} products a warm solve of 4 pairs, "
            f"largest relative residual {found['s_residual'][late].max():.1e} (target: 33 at 1e-6)"
        )


def central_flow_of(method: Any, problem: landscapes.Problem, steps: int, **settings: Any) -> Any:
    """Where the central flow of a run from the problem's start ends."""
    flow = flows.CentralFlow(method, critical=4, **settings)
    return flows.solve(flow, problem.loss, problem.params, steps=steps, every=steps).final_params


def start(steps: int) -> None:
    problem, method = landscapes.digits_mlp(), discrete.GradientDescent(0.1)
    for taken in (0, 1, 2, 5, 20, 100):
        begin = warmed(method, problem, taken)[0] if taken else problem.params
        run = comparisons.compare(
            discrete.TimeAveraged(method),
            {"edge-2": flows.EdgeFlow(method, order=2)},
            problem,
            begin,
            steps=steps,
            every=50,
            integrator=INTEGRATOR,
        )
        gap = run.divergence["edge-2"].relative_distance
        print(f"after {taken:3d} steps of the method: {gap[1]:.1e} after 50 more, {gap[-1]:.1e} after {steps}")


def stepping(steps: int) -> None:
    """Both halves are equally stiff: z' = -2^p z/h at order p = 1, 2 for the swing in a flat direction and the centre
    along one at the edge, so taking the decay of the swing exactly would not lengthen a step.
    """
    problem, method = digits(), discrete.GradientDescent(0.15)
    begin, _ = warmed(method, problem)
    h = method.learning_rate
    for order in (1, 2):
        flow = flows.EdgeFlow(method, order=order)

        def solved(integrator: flows.Integrator, flow: Any = flow) -> Any:
            return flows.solve(flow, problem.loss, begin, steps=steps, every=20, integrator=integrator)

        reference = solved(flows.explicit(rtol=1e-9, atol=1e-13))
        travelled = apart(reference.final_params, begin)
        candidates = {f"Tsit5, rtol {rtol:g}": flows.explicit(rtol=rtol, atol=1e-12) for rtol in (1e-3, 1e-5, 1e-7)}
        candidates |= {
            f"{type(solver).__name__}, steps of {size / order:g} h": flows.Integrator(
                solver, diffrax.ConstantStepSize(), first_step=size / order * h
            )
            for solver, size in ((diffrax.Heun(), 1 / 2), (diffrax.Bosh3(), 1.0), (diffrax.Tsit5(), 1.25))
        }
        for name, integrator in candidates.items():
            found = solved(integrator)
            evaluations = (found.cost.gradients or 0) / flow.field_cost.gradients / steps
            error = apart(found.final_params, reference.final_params) / travelled
            print(
                f"order {order}, {name:24s}: {evaluations:5.2f} evaluations a step, error {error:.1e}, {found.status}"
            )


def apart(here: Any, there: Any) -> float:
    """Distance of two pytrees."""
    return float(optax.tree.norm(optax.tree.sub(here, there)))


def default(steps: int) -> None:
    problem, method = landscapes.digits_mlp(), discrete.GradientDescent(0.1)
    models = {
        "gradient flow": flows.GradientFlow(method),
        "central": flows.CentralFlow(method),
        "edge-2": flows.EdgeFlow(method, order=2),
    }
    found = comparisons.scorecard(method, models, problem, steps=steps, every=EVERY, integrator=INTEGRATOR, timed=False)
    CONSOLE.print(found.table())


def seed(steps: int) -> None:
    problem, method = digits(), discrete.GradientDescent(0.15)
    begin, _ = warmed(method, problem)
    for kind, noise in (("float64", 1e-16), ("float32", 1e-9)):
        start = jax.tree.map(lambda leaf, kind=kind: leaf.astype(kind), begin)
        data = jax.tree.map(lambda leaf, kind=kind: leaf.astype(kind), problem.loss)
        measured = comparisons.measure_oscillation(method, data, start, steps=steps)
        flow = flows.EdgeFlow(method, order=2, noise=noise)
        told = flows.solve(flow, problem.loss, begin, steps=steps, every=10, integrator=INTEGRATOR)
        variance = told.predictions["variance"][:, 0]
        seen = int(np.argmax(measured.variance >= measured.variance.max() / 100))
        said = int(told.steps[np.argmax(variance >= variance.max() / 100)])
        print(f"{kind}: onset at step {seen}, of edge flow with noise {noise:g} at {said}")


PARTS = {f.__name__: f for f in (scorecard, several, cost, momentum, adaptive, speed, start, seed, stepping, default)}

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=list(PARTS))
    parser.add_argument("--steps", type=int, default=3000)
    chosen = parser.parse_args()
    for part in chosen.parts:
        print(f"\n{part}")
        PARTS[part](chosen.steps)
