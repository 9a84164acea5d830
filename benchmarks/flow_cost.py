"""What a flow costs beside its method, and what the solver's error is beside the distance that is measured.

The demo's run: gradient descent at h = 0.1 on the digits MLP, a sample every 10 steps. Printed for each flow and
solver: gradients and Hessian products for each step of the method, and |X - X_tight|/|X_tight - x| at the worst sample
and at the last, with X_tight from Tsit5 at 1e-11. Targets, for gradient flow: at most 0.8 gradients a step at 1e-2, at
most 2 at 1e-4; modified flow of order 2 at most a third of what Tsit5 at 1e-9 takes, edge flow of order 2 at most half.

    python benchmarks/flow_cost.py [--steps N]
"""

import argparse

import jax

jax.config.update("jax_enable_x64", True)

import numpy as np

import discrete
import flows
import landscapes

TIGHT = flows.explicit(rtol=1e-11, atol=1e-14)
SOLVERS = {
    "Tsit5 1e-9": flows.explicit(),
    "Tsit5 1e-4": flows.explicit(rtol=1e-4, atol=1e-7),
    "RKC2 1e-4": flows.stabilized(rtol=1e-4, atol=1e-7, order=2),
    "RKC2 3e-5": flows.stabilized(rtol=3e-5, atol=3e-8, order=2),
    "ROCK4 1e-4": flows.stabilized(rtol=1e-4, atol=1e-7),
    "ROCK4 1e-5": flows.stabilized(),
    "ROCK4 4e-6": flows.stabilized(rtol=4e-6, atol=4e-9),
    "ROCK4 1e-7": flows.stabilized(rtol=1e-7, atol=1e-10),
}


def main() -> None:
    """Print one row for each flow and solver."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=3000)
    steps = parser.parse_args().steps
    method, problem = discrete.GradientDescent(0.1), landscapes.build("digits-mlp")
    kept = {"steps": steps, "every": 10, "keep_params": True}
    models = {
        "gradient": (flows.GradientFlow(method), method),
        "modified-2": (flows.ModifiedFlow(method, order=2), method),
        "edge-2": (flows.EdgeFlow(method, order=2), discrete.TimeAveraged(method)),
    }
    print(f"{'flow':12s}{'solver':12s}{'gradients':>10s}{'products':>10s}{'worst':>10s}{'last':>10s}")
    for name, (flow, seen) in models.items():
        path = discrete.run(seen, problem.loss, problem.params, **kept).path
        tight = flows.solve(flow, problem.loss, problem.params, integrator=TIGHT, **kept).path
        distance = np.linalg.norm(tight - path, axis=1)[1:]
        for solver, integrator in SOLVERS.items():
            found = flows.solve(flow, problem.loss, problem.params, integrator=integrator, **kept)
            shares = np.linalg.norm(found.path - tight, axis=1)[1:] / distance
            gradients, products = (count / steps for count in (found.cost.gradients, found.cost.hessian_products))
            print(f"{name:12s}{solver:12s}{gradients:10.2f}{products:10.2f}{shares.max():10.1e}{shares[-1]:10.1e}")


if __name__ == "__main__":
    main()
