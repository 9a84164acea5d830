"""Peak memory of `compare` at 20,000 steps over that at 2,000 steps: 100,000 parameters, nothing stored. Target: 1.10.

Each length runs in a process of its own, whose peak resident set size the operating system reports.
"""

import resource
import subprocess
import sys

TARGET = 1.10
LENGTHS = (2_000, 20_000)


def peak_megabytes(steps: int) -> float:
    """Peak resident set size of a fresh process that runs one comparison."""
    done = subprocess.run([sys.executable, __file__, str(steps)], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def compare_once(steps: int) -> None:
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    import comparisons
    import discrete
    import flows

    curvatures = jnp.linspace(0.01, 1, 100_000)
    method = discrete.GradientDescent(0.1)
    comparisons.compare(
        method,
        {"gradient": flows.GradientFlow(method)},
        lambda x: 0.5 * jnp.sum(curvatures * x**2) + 0.1 * jnp.sum(jnp.cos(x)),
        jnp.ones(100_000),
        steps=steps,
        every=10,
        integrator=flows.explicit(rtol=1e-6, atol=1e-9),
    )
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    short, long = (peak_megabytes(steps) for steps in LENGTHS)
    found = long / short
    print(f"peak memory: {short:.0f} MB at {LENGTHS[0]:,} steps, {long:.0f} MB at {LENGTHS[1]:,} steps")
    print(f"  ratio {found:.3f} (target {TARGET:.2f}: {'reached' if found <= TARGET else 'missed'})")


if __name__ == "__main__":
    compare_once(int(sys.argv[1])) if len(sys.argv) > 1 else main()
