"""The flows and the toy that the tests of `flows` share. A new flow gets its line in FLOWS."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

import discrete
import flows
import landscapes
from discrete import Trajectory
from discrete.runge_kutta import MIDPOINT
from flows import Flow

METHODS = {
    "gradient descent": discrete.GradientDescent,
    "heavy ball": functools.partial(discrete.HeavyBall, momentum=0.5),
    "nesterov": functools.partial(discrete.Nesterov, momentum=0.5),
}
OTHERS = {
    "nesterov's look-ahead points": functools.partial(discrete.NesterovLookAhead, momentum=0.5),
    "a two-step method": functools.partial(discrete.TwoStep, momentum=0.4, look_ahead=0.2),
    "midpoint": functools.partial(discrete.RungeKutta, tableau=MIDPOINT),
}


class Case(NamedTuple):
    """make: learning rate -> flow.  method: learning rate -> the method it models.  covers: its class."""

    make: Callable[[float], Flow]
    method: Callable
    covers: type


def _case(cls: type, method: Callable, **settings) -> Case:
    return Case(lambda h: cls(method(h), **settings), method, cls)


FLOWS = {
    **{f"gradient flow of {name}": _case(flows.GradientFlow, method) for name, method in METHODS.items()},
    **{f"modified flow of {name}": _case(flows.ModifiedFlow, method) for name, method in METHODS.items()},
    **{f"order 3 of {name}": _case(flows.ModifiedFlow, method, order=3) for name, method in OTHERS.items()},
    "gradient flow of midpoint": _case(flows.GradientFlow, OTHERS["midpoint"]),
    "order 3 of heavy ball": _case(flows.ModifiedFlow, METHODS["heavy ball"], order=3),
    "iterates of gradient descent": _case(flows.IterateFlow, discrete.GradientDescent, order=2),
    "iterates, centred": _case(flows.IterateFlow, discrete.GradientDescent, order=3, stencil="centred"),
    "iterates of midpoint": _case(flows.IterateFlow, OTHERS["midpoint"], order=3),
}

STRONG_CONVEXITY = 0.5


def with_matched_momentum(cls: type) -> Callable:
    """The method with the momentum that Nesterov's has on an m-strongly convex loss."""
    return lambda h: cls(h, (1 - (STRONG_CONVEXITY * h) ** 0.5) / (1 + (STRONG_CONVEXITY * h) ** 0.5))


look_ahead, matched = with_matched_momentum(discrete.NesterovLookAhead), with_matched_momentum(discrete.HeavyBall)
FLOWS |= {
    "Kovachki-Stuart of heavy ball": _case(flows.KovachkiStuart, METHODS["heavy ball"], start="published"),
    "Su-Boyd-Candes": _case(flows.SuBoydCandes, discrete.nesterov_convex),
    "low resolution of heavy ball": _case(flows.LowResolution, matched),
    "low resolution of Nesterov": _case(flows.LowResolution, look_ahead),
    "high resolution of heavy ball": _case(flows.HighResolution, matched),
    "high resolution of Nesterov": _case(flows.HighResolution, look_ahead),
}

TOY = landscapes.two_valleys()
TIGHT = flows.explicit(rtol=1e-11, atol=1e-13)
SAMPLES = 8


def solved(flow: Flow, *, steps: int, integrator=TIGHT, start=None) -> Trajectory:
    """The flow on the toy with nine samples; all tests share its compilation."""
    start = TOY.params if start is None else start
    return flows.solve(
        flow,
        TOY.loss,
        start,
        steps=steps,
        every=steps // SAMPLES,
        observe={"loss": TOY.loss},
        keep_params=True,
        integrator=integrator,
    )


NEST = {"a": [jnp.array([1.0, -2.0, 0.5]), jnp.array(0.25)], "b": (jnp.array([[1.0, 0.0], [-1.0, 2.0]]),)}


def bowl(params) -> jax.Array:
    """Not quadratic, on a nested pytree, least at NEST."""
    gaps = jax.tree.leaves(jax.tree.map(lambda x, m: x - m.astype(x.dtype), params, NEST))
    return sum(jnp.sum(0.5 * gap**2 + 0.25 * gap**4) for gap in gaps)
