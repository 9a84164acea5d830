"""High-resolution equations of Shi, Du, Jordan and Su, and the low-resolution one that they refine."""

from typing import Any, ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from discrete import Method
from discrete.traits import Recursion
from landscapes import Loss, Params

from ..flow import FieldCost, check_constant, momentum_of
from ..registered import named
from .energy import Energy, combined, squared, velocity
from .hessian_damping import Form, HessianDampedFlow, check_form
from .polyak import check_some_momentum
from .second_order import InitialVelocity, RootClockFlow, along_gradient, at_rest, check_initial_velocity, pulled

Points = Literal["heavy ball", "Nesterov", "look-ahead points", "its own discretization"]


class StronglyConvexFlow(RootClockFlow):
    """What both have: q = sqrt(m h) = (1 - b)/(1 + b), from the momentum b of the method."""

    method: Method
    points: eqx.AbstractVar[Points]

    @property
    def root(self) -> Any:
        """q = sqrt(m h)."""
        found = self.method.recursion()
        assert isinstance(found, Recursion)
        return (1 - found.momentum) / (1 + found.momentum) if found.root is None else found.root


def _points(flow: str, method: Method) -> Points:
    """Which points the method goes through; ValueError unless the equations describe them."""
    found, points = method.recursion(), None
    if isinstance(found, Recursion):
        if found.root is not None:
            points = "its own discretization"
        elif found.is_heavy_ball:
            points = "heavy ball"
        elif found.is_nesterov:
            points = "Nesterov"
        elif found.of_look_ahead_points:
            points = "look-ahead points"
    if points is None:
        raise ValueError(
            f"{flow} describes HeavyBall, Nesterov and NesterovLookAhead with the momentum "
            f"(1 - sqrt(m h))/(1 + sqrt(m h)), and SymplecticEuler, not {type(method).__name__}, whose `recursion` is "
            "not one of theirs."
        )
    check_constant(flow, method)
    check_some_momentum(1 if points == "its own discretization" else momentum_of(method))
    return points


@named("low-resolution", "limit of accelerated methods on strongly convex losses")
class LowResolution(StronglyConvexFlow):
    """X'' + 2 sqrt(m) X' + grad L(X) = 0,  X'(0) = 0,   x_n ~ X(n sqrt(h))

    Polyak's equation with the friction of m, the limit of heavy ball and of Nesterov alike (Shi, Du, Jordan and Su
    2021, equation 1.6), which it cannot tell apart. Claims order 1 in sqrt(h).
    """

    points: Points = eqx.field(static=True)
    order: ClassVar[int] = 1

    def __init__(self, method: Method):
        self.method, self.points = method, _points(type(self).__name__, method)

    @property
    def field_cost(self) -> FieldCost:
        """One gradient."""
        return FieldCost(gradients=1)

    def energy(self, loss: Loss, minimizer: Params) -> "LowResolutionEnergy":
        """The energy behind the rate exp(-sqrt(m) t); it falls for m-strongly convex losses."""
        return LowResolutionEnergy(loss, minimizer, self.time_per_step, self.root)

    def initial_velocity(self, loss: Loss, params: Params) -> Params:
        del loss
        return at_rest(params)

    def acceleration(self, loss: Loss, t: Any, position: Params, velocity: Params) -> Params:
        del t
        return pulled(velocity, jax.grad(loss)(position), 2 * self.root / self.time_per_step)


@named("high-resolution", "the same with terms of size sqrt(h)")
class HighResolution(HessianDampedFlow, StronglyConvexFlow):
    """X'' + 2 sqrt(m) X' + sqrt(h) H X' + (1 + sqrt(m h)) grad L(X) = 0   (Nesterov; heavy ball without H X')

    x_n ~ X(n sqrt(h)) (Shi, Du, Jordan and Su 2021, equations 1.10 and 1.11). The damping H X' along the Hessian is
    what tells the two methods apart. The paper's x_n are the look-ahead points, `NesterovLookAhead`; the other points,
    `Nesterov`, follow the same equation from another velocity. `SymplecticEuler` is its discretization.

    start: of a method at rest. "published": X'(0) = -2 sqrt(h)/(1 + sqrt(m h)) grad L(x_0), as transcribed, off by
        O(sqrt(h)): order 1.
        "corrected": X'(0) = -(3/2) sqrt(h) grad L(x_0) for look-ahead points, -(1/2) sqrt(h) grad L(x_0) for Nesterov
        and heavy ball, so that X(sqrt h) is the first step to O(h^(3/2)): order 2. (Derived here. The paper starts
        heavy ball with a first step twice as long, for which -(3/2) is right as well: state = -h grad L(x_0) gives
        that start.)
    form: "gradient" eliminates the Hessian (see `HessianDampedFlow`): V' = -2 sqrt(m) V - (1 - sqrt(m h)) grad L(X).
        "hessian" takes one Hessian product.
    order: in sqrt(h) at fixed time; 1 for SymplecticEuler.
    """

    points: Points = eqx.field(static=True)
    start: InitialVelocity = eqx.field(static=True)
    form: Form = eqx.field(static=True)

    def __init__(self, method: Method, start: InitialVelocity = "corrected", form: Form = "gradient"):
        check_initial_velocity(start)
        check_form(form)
        self.method, self.points, self.start, self.form = method, _points(type(self).__name__, method), start, form

    @property
    def order(self) -> int:
        """In sqrt(h): 2 from the corrected start, 1 from the published one or for SymplecticEuler."""
        return 2 if self.start == "corrected" and self.points != "its own discretization" else 1

    @property
    def damps_along_hessian(self) -> bool:
        """Whether there is a term sqrt(h) H X': for Nesterov's method, not for heavy ball."""
        return self.points != "heavy ball"

    def energy(self, loss: Loss, minimizer: Params) -> "HighResolutionEnergy":
        """The energy behind the rate exp(-sqrt(m) t/4); it falls for m-strongly convex losses."""
        known: dict[str, Literal["NAG-SC", "heavy ball"]] = {"look-ahead points": "NAG-SC", "heavy ball": "heavy ball"}
        discrete = known.get(self.points)
        return HighResolutionEnergy(loss, minimizer, self.time_per_step, self.root, self.damps_along_hessian, discrete)

    def friction(self, t: Any) -> Any:
        del t
        return 2 * self.root / self.time_per_step

    def pull(self, t: Any) -> Any:
        del t
        return 1 + self.root

    def initial_velocity(self, loss: Loss, params: Params) -> Params:
        step = self.time_per_step
        if self.start == "published":
            return along_gradient(loss, params, -2 * step / (1 + self.root))
        first = 0.5 if self.points in ("heavy ball", "Nesterov") else 1.5
        return along_gradient(loss, params, -step * first)


class LowResolutionEnergy(Energy):
    """E = exp(sqrt(m) t) (L - L* + |X' + sqrt(m) (X - x*)|^2 / 2)      (Wilson, Recht and Jordan 2021, section 3)"""

    root: Any = eqx.field(converter=jnp.asarray)

    def weight(self, time: Any) -> Any:
        return jnp.exp(self.root / self.time_per_step * time)

    def squares(self, time: Any, params: Params, velocity: Params) -> Any:
        ahead = combined((1.0, velocity), (self.root / self.time_per_step, self.from_minimizer(params)))
        return self.weight(time) * squared(ahead) / 2


class HighResolutionEnergy(Energy):
    """E = exp(sqrt(m) t/4) ((1 + q) (L - L*) + |X'|^2/4 + |X' + 2 sqrt(m) (X - x*) + sqrt(h) grad L|^2/4)

    Shi, Du, Jordan and Su 2021, theorem 1 (Nesterov) and 2 (heavy ball: without sqrt(h) grad L); q = sqrt(m h).
    discrete: the method whose discrete energy they have. With V = (x_{n+1} - x_n)/sqrt(h), of the look-ahead points:
        ((1 + q)/(1 - q)) (L - L*) + |V|^2/4 + |V + 2 sqrt(m)/(1 - q) (x_{n+1} - x*) + sqrt(h) grad L|^2/4
            - h/(2 (1 - q)) |grad L|^2,   times (1 + q/6)^n,   for h at most 1/(4 S);
    of heavy ball without the gradients, times (1 + q/4)^n, for h at most m/(16 S^2).
    """

    root: Any = eqx.field(converter=jnp.asarray)
    along_hessian: bool = eqx.field(static=True)
    discrete: Literal["NAG-SC", "heavy ball"] | None = eqx.field(static=True)

    def weight(self, time: Any) -> Any:
        return (1 + self.root) * jnp.exp(self.root / self.time_per_step * time / 4)

    def squares(self, time: Any, params: Params, velocity: Params) -> Any:
        rate = self.root / self.time_per_step
        terms = [(1.0, velocity), (2 * rate, self.from_minimizer(params))]
        if self.along_hessian:
            terms.append((self.time_per_step, jax.grad(self.loss)(params)))
        return jnp.exp(rate * time / 4) * (squared(velocity) + squared(combined(*terms))) / 4

    def of_method(self, step: Any, params: Params, following: Params) -> Float[Array, ""]:
        if self.discrete is None:
            return super().of_method(step, params, following)
        q, clock = self.root, self.time_per_step
        moving = velocity(params, following, clock)
        terms = [(1.0, moving), (2 * q / clock / (1 - q), self.from_minimizer(following))]
        rest = (1 + q) / (1 - q) * self.gap(params)
        if self.along_hessian:
            gradient = jax.grad(self.loss)(params)
            terms.append((clock, gradient))
            rest = rest - clock**2 / (2 * (1 - q)) * squared(gradient)
        growth = 1 + q / (6 if self.along_hessian else 4)
        return growth**step * (rest + (squared(moving) + squared(combined(*terms))) / 4)
