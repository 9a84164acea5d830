"""The flows and the toy that the tests of `flows` share. A new flow gets its line in FLOWS or, if stepped, STEPPED."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

import discrete
import flows
import landscapes
from discrete import Trajectory
from discrete.descent.tableaux import MIDPOINT
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
    "leading error of heavy ball": _case(flows.LeadingError, METHODS["heavy ball"]),
    "gradient flow of midpoint": _case(flows.GradientFlow, OTHERS["midpoint"]),
    "order 3 of heavy ball": _case(flows.ModifiedFlow, METHODS["heavy ball"], order=3),
    "iterates of gradient descent": _case(flows.IterateFlow, discrete.GradientDescent, order=2),
    "iterates, centred": _case(flows.IterateFlow, discrete.GradientDescent, order=3, stencil="centred"),
    "iterates of midpoint": _case(flows.IterateFlow, OTHERS["midpoint"], order=3),
}

STRONG_CONVEXITY = 0.5
FRICTION = 1.5


def strongly_convex(make: Callable) -> Callable:
    """The method with the strong convexity that its momentum follows from."""
    return functools.partial(make, strong_convexity=STRONG_CONVEXITY)


def with_friction(make: Callable) -> Callable:
    """The method with the momentum 1 - c sqrt(h), which keeps the friction of its equation."""
    return lambda h: make(h, 1 - FRICTION * h**0.5)


STRONGLY_CONVEX = {
    "heavy ball": strongly_convex(discrete.heavy_ball_strongly_convex),
    "Nesterov": strongly_convex(discrete.nesterov_strongly_convex),
    "look-ahead points": strongly_convex(discrete.nesterov_strongly_convex_look_ahead),
    "symplectic Euler": strongly_convex(discrete.SymplecticEuler),
}
CONVEX = {"look-ahead points": discrete.nesterov_convex_look_ahead, "Nesterov": discrete.nesterov_convex}
FLOWS |= {
    "Kovachki-Stuart of heavy ball": _case(flows.KovachkiStuart, METHODS["heavy ball"], start="published"),
    "invariant manifold of heavy ball": _case(flows.InvariantManifold, METHODS["heavy ball"]),
    "invariant manifold from rest": _case(flows.InvariantManifold, METHODS["heavy ball"], start="rest"),
    "Su-Boyd-Candes": _case(flows.SuBoydCandes, discrete.nesterov_convex),
    "Su-Boyd-Candes, r = 5": _case(flows.SuBoydCandes, functools.partial(discrete.nesterov_convex, r=5.0)),
    "speed restart": _case(flows.SpeedRestart, discrete.RestartedNesterov),
    "Polyak": _case(flows.Polyak, with_friction(discrete.HeavyBall)),
    "Muehlebach-Jordan": _case(flows.MuehlebachJordan, with_friction(discrete.Nesterov)),
    "low resolution of heavy ball": _case(flows.LowResolution, STRONGLY_CONVEX["heavy ball"]),
    "low resolution of look-ahead points": _case(flows.LowResolution, STRONGLY_CONVEX["look-ahead points"]),
    **{f"high resolution of {name}": _case(flows.HighResolution, make) for name, make in STRONGLY_CONVEX.items()},
    "high resolution, hessian": _case(flows.HighResolution, STRONGLY_CONVEX["look-ahead points"], form="hessian"),
    **{f"high resolution, convex, {name}": _case(flows.HighResolutionConvex, make) for name, make in CONVEX.items()},
    "high resolution, convex, third": _case(flows.HighResolutionConvex, CONVEX["Nesterov"], order=3, form="hessian"),
    **{
        f"Bregman, p = {p}": _case(flows.Bregman, functools.partial(discrete.bregman_leapfrog, power=p)) for p in (2, 3)
    },
}

FLOWS |= {
    "stable flow of gradient descent": _case(flows.StableFlow, discrete.GradientDescent),
    "edge flow of gradient descent": _case(flows.EdgeFlow, discrete.GradientDescent, noise=0.0),
    "edge flow of midpoint, order 1": _case(flows.EdgeFlow, OTHERS["midpoint"], order=1, noise=0.0),
}

STEPPED = {
    "central flow of nesterov": _case(flows.CentralFlow, METHODS["nesterov"], critical=1),
    "central flow, modified": _case(flows.CentralFlow, discrete.GradientDescent, order=2, critical=1),
    "rod flow": _case(flows.RodFlow, discrete.GradientDescent),
    "self-stabilization": _case(flows.SelfStabilization, discrete.GradientDescent),
    "principal flow": _case(flows.PrincipalFlow, discrete.GradientDescent, branch="real"),
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
