"""What `run` accepts, everything accepts: odd leaves through run, solve, compare, save, load, resume and plot."""

from typing import Any

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax
import pytest

import comparisons
import discrete
import flows
import landscapes

STEPS = 12


def bowl(params: Any) -> Any:
    return sum(jnp.sum(jnp.asarray(4.0, x.dtype) * x**2) for x in jax.tree.leaves(params))


class Scaled(discrete.Method):
    """x <- x - h s grad L, an own method with a pytree of learning rates."""

    learning_rate: Any
    scale: Any

    def init(self, params):
        return ()

    def step(self, gradient, params, state):
        moved = jax.tree.map(lambda p, s, g: p - self.learning_rate * s * g, params, self.scale, gradient(params))
        return moved, state


class Activated(discrete.Method):
    """x <- x - h tanh(grad L): a function in a field is no schedule."""

    learning_rate: Any
    activation: Any

    def init(self, params):
        return ()

    def step(self, gradient, params, state):
        return jax.tree.map(lambda p, g: p - self.learning_rate * self.activation(g), params, gradient(params)), state


TWO = {"w": jnp.ones(3), "b": jnp.ones(2)}
GD = discrete.GradientDescent(0.01)
CASES = {
    "a typed key": (discrete.from_optax(optax.noisy_sgd(0.02, key=jax.random.key(0)), 0.02), jnp.ones(2), None),
    "float16": (GD, jnp.ones(4, jnp.float16), flows.GradientFlow(GD)),
    "bfloat16": (GD, jnp.ones(4, jnp.bfloat16), flows.GradientFlow(GD)),
    "two precisions": (GD, {"w": jnp.ones(3), "norm": jnp.ones(2, jnp.float32)}, flows.GradientFlow(GD)),
    "a pytree of floats": (Scaled(0.05, {"w": 1.0, "b": 0.25}), TWO, flows.IterateFlow),
    "a pytree of arrays": (Scaled(0.05, {"w": jnp.array([1, 0.5, 0.2]), "b": jnp.ones(2)}), TWO, flows.IterateFlow),
    "a function in a field": (Activated(0.05, jnp.tanh), TWO, flows.IterateFlow),
    "float32 with a schedule": (
        discrete.HeavyBall(lambda n: 0.01 / (1 + 0.1 * n), 0.5),
        jnp.ones(3, jnp.float32),
        None,
    ),
    "optax with counters": (discrete.from_optax(optax.adam(0.01)), TWO, None),
}


# As the two beside them, bfloat16 and a pytree of arrays.
ALIKE = ("float16", "a pytree of floats")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in ALIKE else name for name in CASES]
)
def test_odd_leaves_go_through_everything(name, tmp_path):
    method, params, flow = CASES[name]
    flow = flow(method) if isinstance(flow, type) else flow
    models = {} if flow is None else {"flow": flow}
    observe = {"sharpness": landscapes.Sharpness(bowl), "gradient": landscapes.GradientNorm(bowl)}
    common = {"steps": STEPS, "observe": observe}

    alone = discrete.run(method, bowl, params, **common)
    assert alone.completed
    np.testing.assert_allclose(np.asarray(alone.observations["sharpness"], float), 8, rtol=1e-2)
    if flow is not None:
        assert flows.solve(flow, bowl, params, **common).completed

    def stop(done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    folder = tmp_path / "progress"
    first = comparisons.compare(method, models, bowl, params, folder=folder, progress=stop, **common)
    assert first.interrupted
    resumed = comparisons.compare(method, models, bowl, params, folder=folder, resume=True, **common)
    np.testing.assert_array_equal(resumed.discrete.observations["loss"], alone_loss(method, models, params, common))

    found = comparisons.load(resumed.save(tmp_path / "comparison.nc"))
    assert found.status == "completed" and found.method["name"] == resumed.method["name"]
    plt.close(found.plot())
    measured = comparisons.measure_oscillation(method, bowl, params, steps=STEPS)
    np.testing.assert_allclose(
        np.asarray(measured.loss, float), np.asarray(resumed.discrete.observations["loss"], float), rtol=1e-2
    )


def alone_loss(method, models, params, common) -> np.ndarray:
    return comparisons.compare(method, models, bowl, params, **common).discrete.observations["loss"]
