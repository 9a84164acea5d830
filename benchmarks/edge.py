"""Edge flow of order 1 and 2 beside gradient flow on a digits MLP past the edge of stability.

    python benchmarks/edge.py [--steps N]

Against the averaged iterates (x_{n-1} + 2 x_n + x_{n+1})/4: distance relative to their displacement, sharpness over
2/h, and the loss averaged over 40 steps beside what the flow predicts. Target: order 2 within 1e-3 at the end, mean,
standard deviation and maximum of the sharpness within 5 % of the iterates'.
"""

import argparse

import jax

jax.config.update("jax_enable_x64", True)

import numpy as np

import comparisons
import discrete
import flows
import landscapes

RATE, WARM_UP, EVERY, WINDOW = 0.15, 100, 20, 40


def main(steps: int) -> None:
    """Run and print the table."""
    problem = landscapes.digits_mlp(widths=(20, 20), examples=300)
    method = discrete.GradientDescent(RATE)
    start = discrete.run(method, problem.loss, problem.params, steps=WARM_UP).final_params
    models = {
        "gradient flow": flows.GradientFlow(method),
        "edge, order 1": flows.EdgeFlow(method, order=1),
        "edge, order 2": flows.EdgeFlow(method, order=2),
    }
    run = comparisons.compare(
        discrete.TimeAveraged(method),
        models,
        problem,
        start,
        steps=steps,
        every=EVERY,
        observe={"sharpness": landscapes.Sharpness(problem.loss, k=2)},
        integrator=flows.explicit(rtol=1e-7, atol=1e-12),
    )
    raw = discrete.run(method, problem.loss, start, steps=steps, observe={"loss": problem.loss}).observations["loss"]
    averaged = np.convolve(raw, np.ones(WINDOW) / WINDOW, "same")[::EVERY]
    late = slice(len(run.steps) // 3, -WINDOW // EVERY)
    print(f"{'':16s}{'distance':>10s}{'S h/2: mean':>14s}{'std':>9s}{'max':>9s}{'loss error':>12s}{'gradients':>11s}")
    for name, side in {"iterates": run.discrete, **run.flows}.items():
        sharpness = side.observations["sharpness"][:, 0] * RATE / 2
        third = sharpness[len(sharpness) // 3 :]
        apart = "" if name == "iterates" else f"{run.divergence[name].relative_distance[-1]:.1e}"
        said = side.predictions.get("loss", side.observations["loss"])
        error = float(np.mean(np.abs(said / averaged - 1)[late]))
        print(
            f"{name:16s}{apart:>10s}{third.mean():14.4f}{third.std():9.4f}{sharpness.max():9.4f}{error:12.2%}"
            f"{(side.cost.gradients or 0) / steps:11.1f}"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=3000)
    main(parser.parse_args().steps)
