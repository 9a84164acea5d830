"""Steps, eigenpairs and flows beside what the peers compute, on the same weights, in one run on one core.

    make peers            # an environment of its own, with torch, then this script

Torch in float64 stands for the peers: what edge-of-stability and centralflows say that they do, written again here.
Products by a second backward pass; eigenpairs by scipy's eigsh (edge-of-stability), and by LOBPCG at 1e-10 from the
last block (centralflows, here scipy's); gradient flow by RK4 with steps of 1/sharpness (edge-of-stability); discrete,
averaged, stable and central flow together, the flows by Euler with four substeps (centralflows). Beside them scipy's
stiff solvers on our gradient, a bare lax.scan and a bare compiled gradient. The problem: 500 digits, 64-32-32-10, gelu,
gradient descent at 0.2, from step 300 on, where it is past the edge.
"""

import os
import time
from typing import Any

if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import jax

jax.config.update("jax_enable_x64", True)

import numpy as np
import torch
from jax.flatten_util import ravel_pytree
from scipy.integrate import solve_ivp
from scipy.sparse.linalg import eigsh, lobpcg
from timing import seconds
from torch_peer import SUBSTEPS, Peer, processes_in_torch

import comparisons
import discrete
import flows
import landscapes

RATE, WARM_UP, PAIRS = 0.2, 300, 4
STEPS, FLOW_STEPS = 2000, 100
# Of the peers and of ours, whose calls have a part that does not depend on how many there are.
EIGENSOLVES, OUR_EIGENSOLVES, PEER_STEPS, OUR_STEPS = 10, 100, 5, 500
SPAN = {"steps": OUR_STEPS, "every": OUR_STEPS}
STABLE = flows.stabilized(rtol=1e-4, atol=1e-7)


def tell(what: str, taken: float, per: float, ours: float | None = None, more: str = "") -> None:
    ratio = "" if ours is None else f"{taken / ours:8.1f} x"
    print(f"  {what:48s}{1e3 * taken / per:10.3f} ms{ratio:>10s}  {more}")


def stepping(problem: landscapes.Problem, method: Any, begin: Any, peer: Peer) -> tuple[float, float]:
    """Seconds of a bare gradient, ours and of torch."""
    print(f"\na step of gradient descent, without measurements ({STEPS} steps)")
    gradient = jax.jit(jax.grad(problem.loss))
    flat = torch.from_numpy(np.array(ravel_pytree(begin)[0]))

    @jax.jit
    def scan(params):
        def one(p, _):
            return jax.tree.map(lambda x, g: x - RATE * g, p, jax.grad(problem.loss)(p)), None

        return jax.lax.scan(one, params, length=STEPS)[0]

    def torch_steps(count: int) -> torch.Tensor:
        at = flat
        for _ in range(count):
            at = at - RATE * peer.gradient(at)
        return at

    def ours(count: int) -> Any:
        return discrete.run(method, problem.loss, begin, steps=count, every=count).final_params

    apart = np.linalg.norm(ravel_pytree(ours(10))[0] - torch_steps(10).numpy())
    assert apart < 1e-10, apart
    mine = seconds(lambda: ours(STEPS))
    tell("ours", mine, STEPS)
    tell("a bare lax.scan", seconds(lambda: scan(begin)), STEPS, mine)
    bare = seconds(lambda: [gradient(begin) for _ in range(100)]) / 100
    tell("a bare compiled gradient, called from Python", STEPS * bare, STEPS, mine)
    tell("torch", STEPS / 200 * seconds(lambda: torch_steps(200)), STEPS, mine)
    return bare, seconds(lambda: [peer.gradient(flat) for _ in range(50)]) / 50


def eigensolving(problem: landscapes.Problem, method: Any, begin: Any, peer: Peer) -> None:
    print(f"\n{PAIRS} eigenpairs at {EIGENSOLVES} successive iterates, ours at {OUR_EIGENSOLVES}")
    kept = discrete.run(method, problem.loss, begin, steps=EIGENSOLVES, keep_params=True)
    path = [torch.from_numpy(np.array(row)) for row in kept.path[1:]]
    dense = jax.jit(lambda p: landscapes.dense_hessian(problem.loss, p))
    exact = []
    for i in range(1, EIGENSOLVES + 1):
        exact.append(np.linalg.eigvalsh(dense(jax.tree.map(lambda rows: rows[i], kept.params)))[::-1][:PAIRS])

    def wrong(found: Any) -> str:
        return f"largest error {np.abs(np.asarray(found) / np.asarray(exact) - 1).max():.0e}"

    def ours(**search: Any) -> Any:
        observe = {"s": landscapes.Sharpness(problem.loss, k=PAIRS, **search)}
        return discrete.run(method, problem.loss, begin, steps=OUR_EIGENSOLVES, observe=observe).observations

    steps = seconds(lambda: discrete.run(method, problem.loss, begin, steps=OUR_EIGENSOLVES).final_params)

    def arnoldi() -> list[np.ndarray]:
        return [np.sort(eigsh(peer.operator(at), PAIRS, which="LA", return_eigenvectors=False))[::-1] for at in path]

    # The first of a hundred searches of ours starts at random, none of the ten of LOBPCG.
    origin = torch.from_numpy(np.array(ravel_pytree(begin)[0]))
    _, first = peer.eigenpairs(origin, np.random.default_rng(0).standard_normal((origin.numel(), PAIRS)))

    def conjugate() -> list[np.ndarray]:
        block, found = first, []
        for at in path:
            values, block = peer.eigenpairs(at, block)
            found.append(values)
        return found

    mine = None
    for name, search in (
        ("ours", {}),
        ("ours, at 1e-11", {"tolerance": 1e-11}),
        ("ours, in float32 at 5e-8", {"tolerance": 5e-8, "precision": "float32"}),
    ):
        found = ours(**search)
        told = f"{found['s_hessian_products'].mean():.1f} products, residual {found['s_residual'].max():.0e}"
        taken = (seconds(lambda search=search: ours(**search)["s"]) - steps) * EIGENSOLVES / OUR_EIGENSOLVES
        mine = taken if mine is None else mine
        tell(name, taken, EIGENSOLVES, mine, f"{told}, {wrong(found['s'][1 : EIGENSOLVES + 1])}")
    for name, solve in (("torch and scipy's eigsh", arnoldi), ("torch and scipy's lobpcg at 1e-10, warm", conjugate)):
        peer.products = 0
        found = solve()
        told = f"{peer.products / EIGENSOLVES:.0f} products, {wrong(found)}"
        tell(name, seconds(solve, times=1), EIGENSOLVES, mine, told)


def flowing(problem: landscapes.Problem, method: Any, begin: Any, peer: Peer) -> None:
    duration = FLOW_STEPS * RATE
    print(f"\ngradient flow from the start over the time of {FLOW_STEPS} steps")
    flow = flows.GradientFlow(method)

    def solved(integrator: flows.Integrator) -> Any:
        return flows.solve(flow, problem.loss, begin, steps=FLOW_STEPS, every=FLOW_STEPS, integrator=integrator)

    def end(run: Any) -> np.ndarray:
        return np.asarray(ravel_pytree(run.final_params)[0])

    tight = end(solved(flows.explicit(rtol=1e-12, atol=1e-15)))
    iterate = end(discrete.run(method, problem.loss, begin, steps=FLOW_STEPS, every=FLOW_STEPS))
    distance = np.linalg.norm(tight - iterate)

    def told(at: Any, gradients: float) -> str:
        error = np.linalg.norm(np.asarray(at) - tight) / distance
        return f"{gradients / FLOW_STEPS:.2f} gradients a step, error over distance {error:.0e}"

    mine = None
    for name, integrator in {
        "ours, ROCK4 at 1e-4": flows.stabilized(rtol=1e-4, atol=1e-7),
        "ours, ROCK4 at 1e-5": flows.stabilized(),
        "ours, Tsit5 at 1e-9": flows.explicit(),
    }.items():
        run = solved(integrator)
        taken = seconds(lambda integrator=integrator: solved(integrator).final_params)
        mine = taken if mine is None else mine
        tell(name, taken, FLOW_STEPS, mine, told(end(run), run.cost.gradients))

    start = torch.from_numpy(np.array(ravel_pytree(begin)[0]))

    def classical() -> tuple[np.ndarray, int]:
        at, now, count = start, 0.0, 0
        block = np.random.default_rng(0).standard_normal((at.numel(), 1))
        while now < duration - 1e-12:
            # Once for every step of the method: where the step size comes from.
            values, block = lobpcg(peer.operator(at), block, tol=1e-3, maxiter=60, largest=True)
            until = min(now + RATE, duration)
            pieces = int(np.ceil((until - now) * float(values[0])))
            size = (until - now) / pieces
            for _ in range(pieces):
                a = -peer.gradient(at)
                b = -peer.gradient(at + size / 2 * a)
                c = -peer.gradient(at + size / 2 * b)
                d = -peer.gradient(at + size * c)
                at, count = at + size / 6 * (a + 2 * b + 2 * c + d), count + 4
            now = until
        return at.numpy(), count

    peer.products = 0
    found, count = classical()
    taken = seconds(classical, times=1)
    tell("torch, RK4 with steps of 1/sharpness", taken, FLOW_STEPS, mine, told(found, count + 2 * peer.products))
    _, unravel = ravel_pytree(begin)
    gradient = jax.jit(lambda x: ravel_pytree(jax.grad(problem.loss)(unravel(x)))[0])
    gradient(start.numpy())  # compiled before anything is timed
    for name in ("LSODA", "BDF"):
        calls = 0

        def field(_: float, x: np.ndarray) -> np.ndarray:
            nonlocal calls
            calls += 1
            return -np.asarray(gradient(x))

        begun = time.perf_counter()
        run = solve_ivp(field, (0, duration), start.numpy(), method=name, rtol=1e-5, atol=1e-8)
        taken = time.perf_counter() - begun
        tell(f"scipy's {name} at 1e-5 on our gradient", taken, FLOW_STEPS, mine, told(run.y[:, -1], calls))


def processes(problem: landscapes.Problem, method: Any, begin: Any, peer: Peer, bare: tuple[float, float]) -> None:
    print(f"\ndiscrete, averaged, stable and central flow, {PAIRS} eigenvalues of each at every step")
    start = torch.from_numpy(np.array(ravel_pytree(begin)[0]))
    theirs, centre = processes_in_torch(peer, start, RATE, PAIRS, PEER_STEPS)
    same = central_end(problem, method, begin, PEER_STEPS + 1, scheme="euler", substeps=SUBSTEPS)
    apart = np.linalg.norm(centre - same) / np.linalg.norm(same - ravel_pytree(begin)[0])
    assert apart < 1e-3, apart
    reference = central_end(problem, method, begin, OUR_STEPS, substeps=8, tolerance=1e-11)

    def wrong(**settings: Any) -> str:
        """At the end, over the way that it has gone."""
        found = central_end(problem, method, begin, OUR_STEPS, **settings)
        return f"{np.linalg.norm(found - reference) / np.linalg.norm(reference - ravel_pytree(begin)[0]):.0e}"

    searches = {"tolerance": 5e-8, "precision": "float32"}
    for name, search, central in (
        ("ours", {}, {}),
        ("ours, searches in float32", searches, searches),
        ("ours, searches in float32, one substep", searches, {**searches, "substeps": 1}),
    ):
        mine, told = ours_together(problem, method, begin, search, central)
        told = f"{mine / bare[0]:.0f} of our gradients; {told}, central flow {wrong(**central)}"
        tell(name, mine, 1, more=told)
        print(f"  torch over it: {theirs / mine:.1f}")
    euler = wrong(scheme="euler", substeps=SUBSTEPS)
    told = f"{theirs / bare[1]:.0f} of torch's gradients, {peer.products / PEER_STEPS:.0f} products"
    tell("torch, LOBPCG at 1e-10, Euler", theirs, 1, more=f"{told}; that scheme of ours {euler}")
    flow = flows.GradientFlow(method)
    tight, loose = (
        np.asarray(ravel_pytree(flows.solve(flow, problem.loss, begin, integrator=by, **SPAN).final_params)[0])
        for by in (flows.explicit(rtol=1e-12, atol=1e-15), STABLE)
    )
    error = np.linalg.norm(loose - tight) / np.linalg.norm(tight - ravel_pytree(begin)[0])
    print(
        f"  our stable flow, ROCK4 at 1e-4: error {error:.0e}; errors of flows are those after {OUR_STEPS} steps over"
    )
    print("  the way gone; residuals |H v - theta v|/|theta| are the largest of all sides and samples")


def central_end(problem: landscapes.Problem, method: Any, begin: Any, steps: int, **settings: Any) -> np.ndarray:
    flow = flows.CentralFlow(method, critical=PAIRS, **settings)
    end = flows.solve(flow, problem.loss, begin, steps=steps, every=steps).final_params
    return np.asarray(ravel_pytree(end)[0])


def ours_together(
    problem: landscapes.Problem, method: Any, begin: Any, search: dict[str, Any], central: dict[str, Any]
) -> tuple[float, str]:
    """Seconds a step, and how accurate it was."""
    observe = {"sharpness": landscapes.Sharpness(problem.loss, k=PAIRS, **search)}
    models = {
        "central": flows.CentralFlow(method, critical=PAIRS, **central),
        "stable": flows.GradientFlow(method),
    }

    def run() -> tuple[Any, Any]:
        iterates = discrete.run(method, problem.loss, begin, steps=OUR_STEPS, observe=observe)
        together = comparisons.compare(
            discrete.TimeAveraged(method),
            models,
            problem,
            begin,
            steps=OUR_STEPS,
            observe=observe,
            integrator=STABLE,
        )
        return iterates, together

    run()
    begun = time.perf_counter()
    iterates, together = run()
    taken = (time.perf_counter() - begun) / OUR_STEPS
    sides = {"discrete": iterates, "averaged": together.discrete, **together.flows}
    assert all(side.completed for side in sides.values())
    residual = max(side.observations["sharpness_residual"][1:].max() for side in sides.values())
    return taken, f"largest residual {residual:.0e}"


def main() -> None:
    problem = landscapes.digits_mlp(widths=(32, 32), examples=500, activation="gelu")
    method, peer = discrete.GradientDescent(RATE), Peer(problem)
    begin = discrete.run(method, problem.loss, problem.params, steps=WARM_UP, every=WARM_UP).final_params
    print(f"torch {torch.__version__}, jax {jax.__version__}, {problem.dimension} params, float64, one core")
    print("last column: what it takes over what ours takes")
    bare = stepping(problem, method, begin, peer)
    print(f"  a gradient alone: ours {1e3 * bare[0]:.2f} ms, torch {1e3 * bare[1]:.2f} ms")
    eigensolving(problem, method, begin, peer)
    flowing(problem, method, problem.params, peer)
    processes(problem, method, begin, peer, bare)


if __name__ == "__main__":
    main()
