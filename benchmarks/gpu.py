"""What one accelerator does in a few minutes: loop overhead, gradients, eigenpairs, central flow, a CNN, memory.

    python benchmarks/gpu.py [--size small|full] [--data-dir FOLDER]

`small`, where jax finds no accelerator, is for CPUs and takes a minute or two. Every part prints as soon as it is done,
and a part that fails, as one that does not fit the memory, says so and lets the others run. Times are the least of
three calls, compilation excluded. CIFAR-10 comes from the official files where there are any (--data-dir or
ODESCENT_DATA), else images of its shape are drawn at random: the times are the same.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import jax

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_default_matmul_precision", "highest")

import jax.numpy as jnp
import numpy as np
from timing import seconds

import discrete
import flows
import landscapes
from landscapes.compilation_cache import use_compilation_cache
from landscapes.precision import in_precision

RATE, EVERY = 0.05, 10
KINDS = ("float64", "float32", "bfloat16")


def gradients_a_second(problem: landscapes.Problem, kind: str, count: int) -> float:
    """In a compiled loop, each at the point where the last one led."""
    loss, params = in_precision((problem.loss, problem.params), kind)

    @jax.jit
    def many(loss, params):
        def one(at, _):
            return jax.tree.map(lambda x, g: x - jnp.asarray(1e-3, x.dtype) * g, at, jax.grad(loss)(at)), None

        return jax.lax.scan(one, params, length=count)[0]

    return count / seconds(lambda: many(loss, params))


def gradients(problem: landscapes.Problem, count: int) -> str:
    found = {kind: gradients_a_second(problem, kind, count) for kind in KINDS}
    return "gradients a second: " + ", ".join(f"{kind} {rate:.0f}" for kind, rate in found.items())


def overhead(problem: landscapes.Problem, steps: int) -> str:
    """`run` with the loss at every tenth step, over a lax.scan that only steps."""

    @jax.jit
    def bare(loss, params):
        def one(at, _):
            return jax.tree.map(lambda x, g: x - RATE * g, at, jax.grad(loss)(at)), None

        return jax.lax.scan(one, params, length=steps)[0]

    method, observe = discrete.GradientDescent(RATE), {"loss": landscapes.LossValue(problem.loss)}

    def ours() -> Any:
        return discrete.run(
            method, problem.loss, problem.params, steps=steps, every=EVERY, observe=observe
        ).final_params

    mine, scan = seconds(ours), seconds(lambda: bare(problem.loss, problem.params))
    return f"{1e6 * mine / steps:.1f} us a step, run over bare scan {mine / scan:.3f}"


def eigenpairs(problem: landscapes.Problem, steps: int, kind: str, k: int = 2) -> str:
    """Searches at successive iterates, the first from a random start."""
    loss, params = in_precision((problem.loss, problem.params), kind)
    method, observe = discrete.GradientDescent(RATE), {"s": landscapes.Sharpness(loss, k=k)}
    found = {}

    def ours() -> Any:
        run = discrete.run(method, loss, params, steps=steps, observe=observe)
        found.update(run.observations)
        return run.final_params

    taken = seconds(ours)
    products, residual = found["s_hessian_products"].mean(), found["s_residual"].max()
    told = f"{products:.1f} products for {k}, largest residual {residual:.0e}"
    return f"{k * (steps + 1) / taken:.3g} eigenpairs a second ({told})"


def central(problem: landscapes.Problem, steps: int) -> str:
    flow = flows.CentralFlow(discrete.GradientDescent(RATE))
    taken = seconds(lambda: flows.solve(flow, problem.loss, problem.params, steps=steps, every=steps).final_params)
    return f"{1e3 * taken / steps:.2f} ms a step"


def cifar(examples: int, micro_batch: int, data_dir: str | None) -> tuple[landscapes.Problem, str]:
    """The small CNN on CIFAR-10, or on images drawn at random."""
    try:
        return landscapes.cifar10_cnn(examples=examples, micro_batch=micro_batch, data_dir=data_dir), "CIFAR-10"
    except ValueError:
        if data_dir is not None:
            raise
    random, network = np.random.default_rng(0), landscapes.CNN((32, 32, 3))
    inputs, targets = random.standard_normal((examples, 3072)), np.eye(10)[random.integers(0, 10, examples)]
    loss = landscapes.DataLoss(
        network, landscapes.half_squared_error, jnp.asarray(inputs), jnp.asarray(targets), micro_batch=micro_batch
    )
    return landscapes.Problem.on_data("random images", loss, network.init(0, gain=0.8)), "random images"


def memory() -> str:
    """The most that was in use since the process began, as the device tells it."""
    told = jax.devices()[0].memory_stats()
    return f"{told['peak_bytes_in_use'] / 2**30:.2f} GiB" if told else "not told by this device"


def main() -> None:
    """Print one line for each part."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=("small", "full"))
    parser.add_argument("--data-dir")
    given, device = parser.parse_args(), jax.devices()[0]
    full = (given.size or ("small" if device.platform == "cpu" else "full")) == "full"
    print(
        f"{device.device_kind} ({device.platform}), jax {jax.__version__}, {'full' if full else 'small'} size",
        flush=True,
    )
    use_compilation_cache()
    mlp = landscapes.digits_mlp()
    wide = landscapes.digits_mlp(widths=(1024, 1024), examples=1700) if full else mlp
    images, source = cifar(*((5000, 1000) if full else (20, 10)), given.data_dir)
    some, few = (200, 20) if full else (100, 3)
    parts: dict[str, Callable[[], str]] = {
        "loop, digits MLP": lambda: overhead(mlp, 20 * some),
        f"MLP of {wide.dimension:,} params": lambda: gradients(wide, 10 * some),
        "eigenpairs, digits MLP, float64": lambda: eigenpairs(mlp, some, "float64"),
        "eigenpairs, digits MLP, float32": lambda: eigenpairs(mlp, some, "float32"),
        "central flow, digits MLP": lambda: central(mlp, some),
        f"CNN, {images.loss.examples:,} {source}": lambda: gradients(images, few),
        "eigenpairs, CNN, float32": lambda: eigenpairs(images, few, "float32"),
        "central flow, CNN": lambda: central(images, few),
        "memory": memory,
    }
    begun = time.perf_counter()
    for name, part in parts.items():
        try:
            told = part()
        except (jax.errors.JaxRuntimeError, ValueError) as error:
            told = f"failed: {str(error).splitlines()[0][:120]}"
        print(f"{name:36s}{told}   [{time.perf_counter() - begun:.0f} s]", flush=True)


if __name__ == "__main__":
    main()
