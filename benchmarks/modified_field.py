"""One evaluation of a modified field on the digits MLP, in gradients of the same run; compile time and memory.

Targets: order 2 at most 3.5 gradients, order 4 at most 12 and compiled in 20 s; the gradient-only evaluator of order p
at most p + 0.5; a whole `compare` with order 4 compiled in 40 s.
"""

import time

import jax

jax.config.update("jax_enable_x64", True)

import numpy as np

import comparisons
import discrete
import flows
import landscapes

EVALUATIONS, REPEATS = 40, 7
TARGETS = {2: 3.5, 4: 12.0}
PROBLEM = landscapes.digits_mlp(widths=(32, 32), examples=500)


def repeated(field):
    """Evaluations one after the other, each at the outcome of the one before."""

    def move(params):
        return jax.tree.map(lambda x, f: x + 1e-9 * f, params, field(params))

    return jax.jit(lambda params: jax.lax.fori_loop(0, EVALUATIONS, lambda _, params: move(params), params))


def compiled(field):
    begin = time.perf_counter()
    made = repeated(field).lower(PROBLEM.params).compile()
    return made, time.perf_counter() - begin


def ratio(made, gradient) -> float:
    """Median over pairs of the seconds of one over those of the other."""

    def seconds(call) -> float:
        begin = time.perf_counter()
        jax.block_until_ready(call(PROBLEM.params))
        return time.perf_counter() - begin

    return float(np.median([seconds(made) / seconds(gradient) for _ in range(REPEATS)]))


def main() -> None:
    gradient, _ = compiled(jax.grad(PROBLEM.loss))
    for method in (discrete.GradientDescent(0.05), discrete.HeavyBall(0.01, 0.5)):
        for order in range(1, 7):
            flow = flows.ModifiedFlow(method, order=order)
            made, seconds = compiled(lambda params, flow=flow: flow.vector_field(PROBLEM.loss, 0.0, params))
            cost = ratio(made, gradient)
            target = TARGETS.get(order)
            verdict = "" if target is None else f" (target {target}: {'reached' if cost <= target else 'missed'})"
            name = type(method).__name__
            memory = made.memory_analysis().temp_size_in_bytes / 2**20
            print(f"{name}, order {order}: {cost:.1f} gradients{verdict}, compiled in {seconds:.1f} s, {memory:.1f} MB")
    for stencil in ("forward", "centred"):
        for order in (2, 4, 6):
            flow = flows.IterateFlow(discrete.GradientDescent(0.05), order=order, stencil=stencil)
            made, _ = compiled(lambda params, flow=flow: flow.vector_field(PROBLEM.loss, 0.0, params))
            cost = ratio(made, gradient)
            verdict = "reached" if cost <= order + 0.5 else "missed"
            print(f"iterates, {stencil}, order {order}: {cost:.1f} gradients (target {order + 0.5}: {verdict})")
    method = discrete.GradientDescent(0.05)
    begin = time.perf_counter()
    comparisons.compare(method, {"order 4": flows.ModifiedFlow(method, order=4)}, PROBLEM, steps=10, every=10)
    print(f"compare with order 4, ten steps, compilation included: {time.perf_counter() - begin:.1f} s (target 40)")


if __name__ == "__main__":
    main()
