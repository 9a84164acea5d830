"""The methods and losses that the tests of `discrete` share. A new method gets its line in METHODS."""

import functools
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.flatten_util import ravel_pytree

import discrete
from discrete import Method, Trajectory
from discrete.descent.tableaux import MIDPOINT


class Case(NamedTuple):
    """make: learning rate -> method.  covers: what of `discrete` it tests.  keeps_rate: whether h is a field of it."""

    make: Callable[[float], Method]
    covers: Callable
    keeps_rate: bool = True


@functools.cache
def halving(scale: float) -> Callable:
    return lambda n: scale / (1 + n / 50)


adam, sgd = functools.cache(optax.adam), functools.cache(optax.sgd)

METHODS = {
    "gradient descent": Case(discrete.GradientDescent, discrete.GradientDescent),
    "gradient descent, scheduled": Case(
        lambda h: discrete.GradientDescent(halving(h)), discrete.GradientDescent, keeps_rate=False
    ),
    "heavy ball": Case(discrete.HeavyBall, discrete.HeavyBall),
    "heavy ball, scheduled momentum": Case(
        lambda h: discrete.HeavyBall(h, discrete.convex_momentum), discrete.HeavyBall
    ),
    "nesterov": Case(lambda h: discrete.Nesterov(h, 0.8), discrete.Nesterov),
    "nesterov, convex": Case(discrete.nesterov_convex, discrete.nesterov_convex),
    "nesterov, strongly convex": Case(
        lambda h: discrete.nesterov_strongly_convex(h, 0.5), discrete.nesterov_strongly_convex
    ),
    "nesterov, convex, r = 5": Case(lambda h: discrete.nesterov_convex(h, 5.0), discrete.nesterov_convex),
    "nesterov, look-ahead points": Case(lambda h: discrete.NesterovLookAhead(h, 0.8), discrete.NesterovLookAhead),
    "nesterov, convex, look-ahead points": Case(
        discrete.nesterov_convex_look_ahead, discrete.nesterov_convex_look_ahead
    ),
    "nesterov, strongly convex, look-ahead points": Case(
        lambda h: discrete.nesterov_strongly_convex_look_ahead(h, 0.5), discrete.nesterov_strongly_convex_look_ahead
    ),
    "nesterov, restarted by speed": Case(discrete.RestartedNesterov, discrete.RestartedNesterov),
    "nesterov, restarted by gradient": Case(
        lambda h: discrete.RestartedNesterov(h, when="gradient"), discrete.RestartedNesterov
    ),
    "heavy ball, strongly convex": Case(
        lambda h: discrete.heavy_ball_strongly_convex(h, 0.5), discrete.heavy_ball_strongly_convex
    ),
    "muehlebach and jordan": Case(lambda h: discrete.muehlebach_jordan(h, 0.5, 1.5), discrete.muehlebach_jordan),
    "symplectic euler": Case(lambda h: discrete.SymplecticEuler(h, 0.5), discrete.SymplecticEuler),
    "bregman leapfrog": Case(discrete.bregman_leapfrog, discrete.bregman_leapfrog, keeps_rate=False),
    "bregman leapfrog, cubic": Case(
        lambda h: discrete.bregman_leapfrog(h, power=3), discrete.bregman_leapfrog, keeps_rate=False
    ),
    "two-step": Case(lambda h: discrete.TwoStep(h, 0.6, 0.3), discrete.TwoStep),
    "kutta-4": Case(discrete.RungeKutta, discrete.RungeKutta),
    "midpoint": Case(lambda h: discrete.RungeKutta(h, MIDPOINT), discrete.RungeKutta),
    "scalar rmsprop": Case(lambda h: discrete.ScalarRMSProp(h, 0.9, bias_correction=True), discrete.ScalarRMSProp),
    "rmsprop": Case(lambda h: discrete.RMSProp(h, 0.9, 1e-3, bias_correction=True), discrete.RMSProp),
    "rmsprop, without bias correction": Case(lambda h: discrete.RMSProp(h / 5, 0.9), discrete.RMSProp),
    "time-averaged": Case(lambda h: discrete.TimeAveraged(discrete.HeavyBall(h, 0.5)), discrete.TimeAveraged),
    "optax adam": Case(lambda h: discrete.from_optax(adam(h), h), discrete.from_optax, keeps_rate=False),
    "optax sgd": Case(lambda h: discrete.OptaxMethod(sgd(h, 0.5), h), discrete.OptaxMethod, keeps_rate=False),
}

MINIMISER = {"a": [jnp.array([1.0, -2.0, 0.5]), jnp.array(0.25)], "b": (jnp.array([[1.0, 0.0], [-1.0, 2.0]]),)}
START = jax.tree.map(lambda leaf: leaf + 0.5, MINIMISER)


def bowl(params) -> jax.Array:
    """Convex, not quadratic, on a nested pytree, least at MINIMISER; Hessian between 1 and 1.75 from START down."""
    gaps = jax.tree.leaves(jax.tree.map(lambda x, m: x - m.astype(x.dtype), params, MINIMISER))
    return sum(jnp.sum(0.5 * gap**2 + 0.25 * gap**4) for gap in gaps)


def samples_of(method, start=START, *, every=10, steps=30, state=None) -> Trajectory:
    """A run whose compilation all tests with up to four samples share."""
    return discrete.run(method, bowl, start, steps=steps, every=every, observe={"loss": bowl}, state=state)


def flat(tree) -> np.ndarray:
    return np.asarray(ravel_pytree(tree)[0])


def cast(tree, dtype):
    return jax.tree.map(lambda leaf: leaf.astype(dtype), tree)


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
