"""The small problem that the tests of `comparisons` share, and the runs that several of them look at.

All runs have 41 samples, so that they share compilations and yet take more than one block.
"""

import dataclasses
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

import comparisons
import discrete
import flows
import landscapes
from comparisons import Comparison
from discrete import Method
from flows import Flow

STEPS = 40
START = {"a": jnp.array([1.0, -0.5]), "b": jnp.array(0.8)}
INPUTS = jnp.asarray(np.random.default_rng(0).standard_normal((4, 3)))


def bowl(params) -> jax.Array:
    """Three parameters in two leaves, coupled, not quadratic."""
    x, y, z = params["a"][0], params["a"][1], params["b"]
    return 0.5 * (3 * x**2 + y**2 + 0.3 * z**2) + 0.4 * x * y * z + 0.1 * (x**4 + y**4 + z**4)


def predict(params) -> jax.Array:
    """(4, 2) outputs."""
    hidden = jnp.tanh(INPUTS * jnp.concatenate([params["a"], params["b"][None]]))
    return jnp.stack([hidden.sum(axis=1), hidden[:, 0] * hidden[:, 2]], axis=1)


PROBLEM = landscapes.Problem("bowl", bowl, START, predict=predict)
SHARPNESS = landscapes.Sharpness(bowl, k=2)
OBSERVE = {"sharpness": SHARPNESS, "gradient_norm": landscapes.GradientNorm(bowl)}


def heavy_ball(learning_rate: float = 0.1) -> Method:
    return discrete.HeavyBall(learning_rate, 0.5)


def models(method: Method) -> dict[str, Flow]:
    return {"gradient flow": flows.GradientFlow(method), "modified": flows.ModifiedFlow(method)}


def compared(method: Method | None = None, **changes: Any) -> Comparison:
    """The run that most tests look at, or one that differs in what is named."""
    method = heavy_ball() if method is None else method
    settings: dict[str, Any] = {"steps": STEPS, "observe": OBSERVE} | changes
    chosen = settings.pop("flows", models(method))
    return comparisons.compare(method, chosen, settings.pop("problem", PROBLEM), **settings)


@cache
def usual() -> Comparison:
    return compared()


@cache
def diverged() -> Comparison:
    """The method blows up after a few steps; its flows would have gone on."""
    return compared(heavy_ball(2.5))


@cache
def crossing() -> Comparison:
    """The method is thrown to where the sharpness, 3 at first, exceeds its threshold 3.49, and comes back."""
    start = {"a": jnp.array([0.05, -0.5]), "b": jnp.array(0.8)}
    thrown = {"a": jnp.array([2.0, 0.0]), "b": jnp.array(0.0)}
    return compared(heavy_ball(0.86), params=start, state=thrown)


def make_left_behind(**changes: Any) -> Comparison:
    """One flow that gets too fast for its solver half-way, between two that go on."""
    method = heavy_ball()
    before, after = models(method).items()
    chosen = dict([before, ("hasty", Hastening(method)), after])
    return compared(method, flows=chosen, integrator=flows.explicit(max_steps=100), observe={}, **changes)


left_behind = cache(make_left_behind)


@cache
def bare() -> Comparison:
    """Nothing observed but the loss, and no predictions."""
    method = heavy_ball()
    return comparisons.compare(method, models(method), bowl, START, steps=STEPS)


@cache
def alone() -> Comparison:
    """A method without flows."""
    return compared(flows={})


class Hastening(flows.GradientFlow):
    """Gradient flow that gets faster and faster, in circles that an explicit solver has to follow."""

    def vector_field(self, loss, t, state):
        rate = 0.1 * jnp.exp(4 * t)
        slope = jax.grad(loss)(state)
        return {
            "a": -slope["a"] + rate * jnp.array([-1.0, 1.0]) * state["a"][::-1],
            "b": -slope["b"],
        }


def interrupt_after(calls: int) -> Callable[[int, int], None]:
    """A progress that presses Ctrl-C at its n-th call."""
    counted = iter(range(1, calls + 1))

    def progress(done: int, steps: int) -> None:
        if next(counted) == calls:
            raise KeyboardInterrupt

    return progress


@contextmanager
def compilations() -> Iterator[list[str]]:
    """The names of what XLA compiles inside the `with`."""
    found: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record):
            if "Finished XLA compilation" in record.getMessage():
                found.append(record.getMessage())

    logger, listener = logging.getLogger("jax"), Listener()
    logger.addHandler(listener)
    try:
        with jax.log_compiles():
            yield found
    finally:
        logger.removeHandler(listener)


def flat(tree: Any) -> np.ndarray:
    """(3,) parameters of one point in the order of the leaves."""
    return np.asarray(ravel_pytree(tree)[0])


def arrays(comparison: Comparison) -> dict[str, np.ndarray]:
    """Every number that a comparison measured, under a name of its own."""
    found = {}
    for side, trajectory in {"method": comparison.discrete, **comparison.flows}.items():
        found |= {f"{side} {name}": rows for name, rows in trajectory.observations.items()}
        found |= {f"{side} steps": trajectory.steps, f"{side} times": trajectory.times}
    for side, apart in comparison.divergence.items():
        fields = {field.name: getattr(apart, field.name) for field in dataclasses.fields(apart)}
        found |= {f"{side} gap in {name}": rows for name, rows in fields.pop("gaps").items()}
        found |= {f"{side} {name}": rows for name, rows in fields.items() if rows is not None}
    return found


def assert_same(one: Comparison, other: Comparison) -> None:
    """Both hold the same numbers, bit for bit."""
    mine, theirs = arrays(one), arrays(other)
    assert mine.keys() == theirs.keys()
    for name in mine:
        np.testing.assert_array_equal(mine[name], theirs[name], err_msg=name)
