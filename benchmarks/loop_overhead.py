"""Time of `discrete.run` with the loss recorded every 10 steps, over hand-written lax.scans of the same update.

Two bare loops: one that only steps, and one that records the loss every 10 steps as well. `run` also watches for
divergence. Runs alternate; ratios are medians over pairs, compilation excluded. Target: 1.05 times the loop that
records as well, for 10 parameters and for 100,000. The last two cases show where it ends: steps of 0.4 and of 0.1
microseconds, where the 0.5 to 1 microseconds that a sample costs weigh more.
"""

import time
from functools import partial

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

import discrete
import landscapes

TARGET = 1.05
EVERY = 10
PAIRS = 9


def heavy_ball_step(loss, rates, carry):
    params, velocity = carry
    velocity = jax.tree.map(lambda v, g: rates[1] * v - rates[0] * g, velocity, jax.grad(loss)(params))
    return jax.tree.map(jnp.add, params, velocity), velocity


@partial(jax.jit, static_argnums=(0, 3))
def only_steps(loss, params, rates, steps):
    start = (params, jax.tree.map(jnp.zeros_like, params))
    return jax.lax.scan(lambda c, _: (heavy_ball_step(loss, rates, c), None), start, length=steps)


@partial(jax.jit, static_argnums=(0, 3))
def records_loss(loss, params, rates, steps):
    def sample(carry, _):
        carry, _ = jax.lax.scan(lambda c, _: (heavy_ball_step(loss, rates, c), None), carry, length=EVERY)
        return carry, loss(carry[0])

    return jax.lax.scan(sample, (params, jax.tree.map(jnp.zeros_like, params)), length=steps // EVERY)


def seconds(call) -> float:
    begin = time.perf_counter()
    jax.block_until_ready(call())
    return time.perf_counter() - begin


def ratios(problem: landscapes.Problem, steps: int) -> tuple[float, float]:
    method = discrete.HeavyBall(learning_rate=1e-3, momentum=0.9)
    loss = lambda params: problem.loss(params)  # noqa: E731  (hashable, so that jit takes it as static)

    def ours():
        return discrete.run(method, loss, problem.params, steps=steps, observe={"loss": loss}, every=EVERY).final_params

    def bare(scan):
        return scan(loss, problem.params, (1e-3, 0.9), steps)[0][0]

    np.testing.assert_allclose(ravel_pytree(ours())[0], ravel_pytree(bare(only_steps))[0], rtol=1e-8, atol=1e-12)
    bare(records_loss)
    calls = (ours, partial(bare, only_steps), partial(bare, records_loss))
    times = np.array([[seconds(call) for call in calls] for _ in range(PAIRS)])
    run, stepping, recording = np.median(times, axis=0)
    print(f"{problem.name}, {problem.dimension} parameters, {steps} steps: run {run:.3f} s, "
          f"bare {stepping:.3f} s, bare with loss {recording:.3f} s")  # fmt: skip
    return float(np.median(times[:, 0] / times[:, 1])), float(np.median(times[:, 0] / times[:, 2]))


def main() -> None:
    judged = (
        (landscapes.chebyshev_mlp(widths=(3,), points=200), 500_000),
        (landscapes.digits_mlp(widths=(256, 256, 64), examples=100), 1_500),
    )
    shortest = (
        (landscapes.chebyshev_mlp(widths=(3,)), 1_000_000),
        (landscapes.quadratic(eigenvalues=np.linspace(0.1, 10, 10)), 1_000_000),
    )
    for problem, steps in judged:
        stepping, recording = ratios(problem, steps)
        verdict = "reached" if recording <= TARGET else "missed"
        print(f"  run / bare: {stepping:.3f}; run / bare with loss: {recording:.3f} (target {TARGET:.2f}: {verdict})")
    for problem, steps in shortest:
        print("  run / bare: {:.3f}; run / bare with loss: {:.3f}".format(*ratios(problem, steps)))


if __name__ == "__main__":
    main()
