"""The equation of Su, Boyd and Candes, restarted whenever its speed stops growing."""

from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax

from discrete import Method
from discrete.traits import Restarted
from landscapes import Loss, Params

from ..flow import FieldCost, Start
from ..registered import named
from .second_order import RootClockFlow, at_rest
from .su_boyd_candes import check_rate, convex_momentum, decaying_friction

RESOLVED = 1e4


class RestartedMotion(NamedTuple):
    """X, X', and the time of the last restart."""

    position: Params
    velocity: Params
    since: Any


@named("speed-restart", "the same, restarted when its speed stops growing")
class SpeedRestart(RootClockFlow):
    """X'' + (r/(t - t_i)) X' + grad L(X) = 0 from X'(t_i) = 0, t_{i+1} the first time at which |X'| stops growing

    Su, Boyd and Candes 2016, section 5: for r = 3 and m-strongly convex losses of sharpness at most S each piece takes
    a time of at least 4/(5 sqrt(S)) (lemma 11) and multiplies the gap of the loss by at most
    1 - (3 m/(25 S)) (67/71)^2 (lemma 12), so the rate is linear. x_n ~ X(n sqrt(h)) for
    `RestartedNesterov`; nothing is claimed about how the distance closes.
    Raises ValueError for any other method.
    """

    method: Method
    r: float = eqx.field(static=True)
    order: ClassVar[int | None] = None
    switches: ClassVar[bool] = True

    def __init__(self, method: Method):
        found = method.recursion()
        between = found.between if isinstance(found, Restarted) and found.when == "speed" else None
        momentum = convex_momentum(between)
        if momentum is None:
            raise ValueError(
                f"SpeedRestart describes RestartedNesterov(h, when='speed'), not {type(method).__name__} as given."
            )
        check_rate("SpeedRestart", method)
        self.method, self.r = method, momentum.r

    @property
    def field_cost(self) -> FieldCost:
        """One gradient."""
        return FieldCost(gradients=1)

    def init(self, loss: Loss, start: Start) -> RestartedMotion:
        dtype = jnp.result_type(*jax.tree.leaves(start.params))
        return RestartedMotion(start.params, self.initial_velocity(loss, start.params), jnp.zeros((), dtype))

    def initial_velocity(self, loss: Loss, params: Params) -> Params:
        del loss
        return at_rest(params)

    def acceleration(self, loss: Loss, t: Any, position: Params, velocity: Params) -> Params:
        return decaying_friction(loss, t, position, velocity, self.r)

    def vector_field(self, loss: Loss, t: Any, state: RestartedMotion) -> RestartedMotion:
        pull = self.acceleration(loss, t - state.since, state.position, state.velocity)
        return RestartedMotion(state.velocity, pull, jnp.zeros_like(state.since))

    def switch(self, loss: Loss, t: Any, state: RestartedMotion) -> Any:
        """X' X'' / (t - t_i), half the growth of |X'|^2 over the age; |grad L|^2/(1 + r)^2 at age 0."""
        age = t - state.since
        pull = self.acceleration(loss, age, state.position, state.velocity)
        growth = optax.tree.vdot(state.velocity, pull) / jnp.where(age > 0, age, 1)
        # Before the clock resolves its age a piece cannot end: rounding would restart it for ever.
        resolved = age > RESOLVED * jnp.finfo(jnp.result_type(age)).eps * jnp.maximum(t, 1)
        return jnp.where(resolved, growth, jnp.asarray(optax.tree.norm(pull, squared=True)) + 1e-30)

    def switched(self, loss: Loss, t: Any, state: RestartedMotion) -> RestartedMotion:
        return RestartedMotion(state.position, self.initial_velocity(loss, state.position), t)
