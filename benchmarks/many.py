"""Many runs in one: six learning rates times three starts of the digits MLP, as members of one run and one by one.

The loss and the sharpness every 10 of 300 steps, gradient descent beside gradient flow. Each way is timed with what it
compiles (its first call) and without (its second); one by one, all runs share their programs. Target: a third.
"""

import time
from typing import Any

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp
import numpy as np

import comparisons
import discrete
import flows
import landscapes

RATES, SEEDS, STEPS, EVERY, TARGET = np.geomspace(0.01, 0.08, 6), range(3), 300, 10, 1 / 3


def main() -> None:
    problem = landscapes.digits_mlp()
    starts = [landscapes.digits_mlp(seed=seed).params for seed in SEEDS]
    observe = {"sharpness": landscapes.Sharpness(problem.loss)}
    cases = [(discrete.GradientDescent(float(rate)), start) for rate in RATES for start in starts]
    methods = [method for method, _ in cases]
    params = jax.tree.map(lambda *rows: jnp.stack(rows), *(start for _, start in cases))
    settings: dict[str, Any] = {"steps": STEPS, "every": EVERY, "observe": observe, "integrator": flows.stabilized()}

    def together() -> np.ndarray:
        members = discrete.Members(methods=methods, params=params)
        found = comparisons.compare(None, {"gradient": flows.GradientFlow}, problem, members=members, **settings)
        return found.divergence["gradient"].distance[-1]

    def alone() -> np.ndarray:
        found = [
            comparisons.compare(method, {"gradient": flows.GradientFlow(method)}, problem, start, **settings)
            for method, start in cases
        ]
        return np.array([one.divergence["gradient"].distance[-1] for one in found])

    taken, ends = {}, {}
    for name, ways in {"members of one run": together, "one by one": alone}.items():
        for call in ("first", "second"):
            begin = time.perf_counter()
            ends[name] = ways()
            taken[name, call] = time.perf_counter() - begin
            print(f"{name}, {call} call: {taken[name, call]:.1f} s", flush=True)
    apart = np.max(np.abs(ends["members of one run"] / ends["one by one"] - 1))
    print(f"distances to the flow, largest relative difference between the two ways: {apart:.0e}")
    for call in ("first", "second"):
        ratio = taken["members of one run", call] / taken["one by one", call]
        print(f"  {call} call: {ratio:.2f} (target {TARGET:.2f}: {'reached' if ratio <= TARGET else 'missed'})")


if __name__ == "__main__":
    main()
