"""The high-resolution equation of Nesterov's convex method, after Shi, Du, Jordan and Su."""

from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from discrete import ConvexMomentum, Method, Nesterov, NesterovLookAhead
from landscapes import Loss, Params

from .energy import Energy, combined, squared
from .hessian_damping import Form, HessianDampedFlow, check_form
from .second_order import along_gradient
from .su_boyd_candes import check_friction, check_rate


class HighResolutionConvex(HessianDampedFlow):
    """X'' + (r/t) X' + sqrt(h) H X' + (1 + r sqrt(h)/(2 t)) grad L(X) = 0,   X'(t_0) = -sqrt(h) grad L(x_0)

    Shi, Du, Jordan and Su 2021, equation 1.13, for r = 3: "NAG-C", whose look-ahead points pass t = (n + r/2) sqrt(h),
    so t_0 = 3 sqrt(h)/2. The other points of the run, `nesterov_convex(h, r)`, follow it a step later, at
    t = (n + r/2 - 1) sqrt(h), for which r must exceed 2; other r, and that, are derived here and measured in the tests.
    The published velocity costs no order here: the equation forgets it within a few steps. For convex L and r = 3,
    min |grad L|^2 <= (12 + 9 h S) |x_0 - x*|^2 / (2 sqrt(h) (t^3 - t_0^3)), their theorem 5.

    form: "gradient" eliminates the Hessian (see `HessianDampedFlow`): V' = -(r/t) V - (1 - r sqrt(h)/(2 t)) grad L(X).
        "hessian" takes one Hessian product.
    The clock of the run starts at 0 with the first iterate; t is ahead of it by t_0.
    Claims order 2 in sqrt(h). Raises ValueError for other methods.
    """

    method: Nesterov | NesterovLookAhead
    form: Form = eqx.field(static=True)
    order: ClassVar[int] = 2

    def __init__(self, method: Method, form: Form = "gradient"):
        check_form(form)
        if not isinstance(method, Nesterov | NesterovLookAhead) or not _is_its_own(method.momentum, method):
            raise ValueError(
                "HighResolutionConvex describes nesterov_convex_look_ahead(h, r) and nesterov_convex(h, r), not "
                f"{type(method).__name__} with this momentum; for constant momentum take HighResolution."
            )
        check_rate("HighResolutionConvex", method)
        if isinstance(method, Nesterov) and not method.momentum.r > 2:
            raise ValueError(
                f"`r` must exceed 2 for nesterov_convex, got {method.momentum.r:g}: the equation is singular at its "
                "start, t = (r/2 - 1) sqrt(h); take nesterov_convex_look_ahead(h, r)."
            )
        self.method, self.form = method, form

    @property
    def r(self) -> float:
        """r of the momentum."""
        return self.method.momentum.r

    @property
    def head_start(self) -> Any:
        """t_0."""
        return (self.r / 2 - isinstance(self.method, Nesterov)) * self.time_per_step

    def energy(self, loss: Loss, minimizer: Params) -> "HighResolutionConvexEnergy":
        """The energy behind the rates t^-2 of the loss and t^-3 of |grad L|^2; it falls for convex L and r >= 3."""
        check_friction(self.r)
        ahead = isinstance(self.method, NesterovLookAhead)
        return HighResolutionConvexEnergy(loss, minimizer, self.time_per_step, self.r, self.head_start, ahead)

    def initial_velocity(self, loss: Loss, params: Params) -> Params:
        return along_gradient(loss, params, -self.time_per_step)

    def friction(self, t: Any) -> Any:
        return self.r / (t + self.head_start)

    def pull(self, t: Any) -> Any:
        return 1 + self.friction(t) * self.time_per_step / 2


def _is_its_own(momentum: Any, method: Nesterov | NesterovLookAhead) -> bool:
    """Whether it is the convex momentum, of the next step for look-ahead points."""
    return isinstance(momentum, ConvexMomentum) and momentum.next_step == isinstance(method, NesterovLookAhead)


class HighResolutionConvexEnergy(Energy):
    """E = t (t + (r/2 - 1) sqrt(h)) (L - L*) + |t X' + (r - 1) (X - x*) + t sqrt(h) grad L|^2 / 2

    Shi, Du, Jordan and Su 2021, theorem 5, for r = 3; other r derived here. dE/dt is at most
    -(r - 3) t (L - L*) - sqrt(h) t (t + (r/2 - 1) sqrt(h)) |grad L|^2 for convex L. Along the look-ahead points their
    discrete energy, with V = (x_{n+1} - x_n)/sqrt(h), for h at most 1/(3 S):
        h (n + 1) (n + r) (L - L*) + |(n + 1) sqrt(h) V + (r - 1) (x_{n+1} - x*) + (n + 1) h grad L|^2 / 2
    """

    r: Any = eqx.field(converter=jnp.asarray)
    head_start: Any = eqx.field(converter=jnp.asarray)
    at_look_ahead_points: bool = eqx.field(static=True)

    def weight(self, time: Any) -> Any:
        t = time + self.head_start
        return t * (t + (self.r / 2 - 1) * self.time_per_step)

    def squares(self, time: Any, params: Params, velocity: Params) -> Any:
        t = time + self.head_start
        gradient = jax.grad(self.loss)(params)
        ahead = combined((t, velocity), (self.r - 1, self.from_minimizer(params)), (t * self.time_per_step, gradient))
        return squared(ahead) / 2

    def of_method(self, step: Any, params: Params, following: Params) -> Float[Array, ""]:
        if not self.at_look_ahead_points:
            return super().of_method(step, params, following)
        h = self.time_per_step**2
        moved = optax.tree.sub(following, params)
        ahead = combined(
            (step + 1.0, moved),
            (self.r - 1, self.from_minimizer(following)),
            ((step + 1.0) * h, jax.grad(self.loss)(params)),
        )
        return h * (step + 1.0) * (step + self.r) * self.gap(params) + squared(ahead) / 2
