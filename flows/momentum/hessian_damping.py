"""What the high-resolution equations share: damping along the Hessian, and the variables in which it disappears."""

from abc import abstractmethod
from typing import Any, Literal

import equinox as eqx
import jax

from landscapes import Loss, Params, gradient_and_product

from ..flow import FieldCost, Start
from .second_order import Motion, RootClockFlow, pulled

Form = Literal["gradient", "hessian"]


class HessianDampedFlow(RootClockFlow):
    """X'' + f(t) X' + sqrt(h) H X' + w(t) grad L(X) = 0

    form: "gradient" eliminates the Hessian: in V = X' + sqrt(h) grad L(X), which the state then holds for X',
        X' = V - sqrt(h) grad L(X),  V' = -f V - (w - sqrt(h) f) grad L(X).  "hessian" takes one Hessian product.
    """

    form: eqx.AbstractVar[Form]

    @property
    def damps_along_hessian(self) -> bool:
        """Whether there is a term sqrt(h) H X'."""
        return True

    @property
    def eliminates(self) -> bool:
        """Whether the state holds V for X'."""
        return self.damps_along_hessian and self.form == "gradient"

    @property
    def field_cost(self) -> FieldCost:
        """One gradient, and in the form "hessian" a Hessian product where there is a Hessian."""
        return FieldCost(gradients=1, hessian_products=int(self.damps_along_hessian and self.form == "hessian"))

    @abstractmethod
    def friction(self, t: Any) -> Any:
        """f."""

    @abstractmethod
    def pull(self, t: Any) -> Any:
        """w."""

    def init(self, loss: Loss, start: Start) -> Motion:
        position = self.initial_position(loss, start.params)
        velocity = self.initial_velocity(loss, position)
        if self.eliminates:
            velocity = self._moved(velocity, jax.grad(loss)(position), 1)
        return Motion(position, velocity)

    def initial_position(self, loss: Loss, params: Params) -> Params:
        """X(t_0)."""
        del loss
        return params

    def vector_field(self, loss: Loss, t: Any, state: Motion) -> Motion:
        if not self.eliminates:
            return super().vector_field(loss, t, state)
        gradient, friction = jax.grad(loss)(state.position), self.friction(t)
        weight = self.pull(t) - self.time_per_step * friction
        return Motion(self._moved(state.velocity, gradient, -1), pulled(state.velocity, gradient, friction, weight))

    def acceleration(self, loss: Loss, t: Any, position: Params, velocity: Params) -> Params:
        friction, weight, step = self.friction(t), self.pull(t), self.time_per_step
        if not self.damps_along_hessian:
            return pulled(velocity, jax.grad(loss)(position), friction, weight)
        gradient, product = gradient_and_product(loss, position, velocity)
        return jax.tree.map(
            lambda g, v, hv: (-friction * v - step * hv - weight * g).astype(v.dtype), gradient, velocity, product
        )

    def _moved(self, velocity: Params, gradient: Params, sign: int) -> Params:
        """From X' to V and, with the sign -1, back."""
        step = sign * self.time_per_step
        return jax.tree.map(lambda v, g: (v + step * g).astype(v.dtype), velocity, gradient)


def check_form(form: str) -> None:
    """ValueError unless it is one of the two forms."""
    if form not in ("gradient", "hessian"):
        raise ValueError(f"`form` must be 'gradient' or 'hessian', got {form!r}.")
