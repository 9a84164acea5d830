"""A method seen through the filter that removes oscillations of period two."""

from typing import Any

import jax

from landscapes import Params

from .method import Gradient, Method


class TimeAveraged(Method):
    """m_n = (x_{n-1} + 2 x_n + x_{n+1})/4 of the run x_n of a method; m_0 = x_0

    The midpoint process of Cohen, Damian et al. 2025, which their central flow is compared with: an oscillation
    (-1)^n r drops out, a smooth run is moved by O(h^2). `compare` takes it in the place of the method, with flows of
    the method. Each step looks one step ahead and costs twice the gradients.
    """

    method: Method

    def __init__(self, method: Method):
        self.method = method

    @property
    def learning_rate(self) -> Any:  # type: ignore[override]
        """That of the method."""
        return self.method.learning_rate

    @property
    def gradients_per_step(self) -> int:  # type: ignore[override]
        """Twice that of the method."""
        return 2 * self.method.gradients_per_step

    @property
    def has_preconditioner(self) -> bool:  # type: ignore[override]
        """That of the method."""
        return self.method.has_preconditioner

    @property
    def observed(self) -> Method:
        return self.method

    def init(self, params: Params) -> tuple[Params, Any]:
        return params, self.method.init(params)

    def step(self, gradient: Gradient, params: Params, state: tuple[Params, Any]) -> tuple[Params, tuple[Params, Any]]:
        del params
        before, inner = state
        now, inner = self.method.step(gradient, before, inner)
        after, _ = self.method.step(gradient, now, inner)
        return jax.tree.map(lambda x, y, z: (x + 2 * y + z) / 4, before, now, after), (now, inner)

    def stability_threshold(self) -> float | None:
        return self.method.stability_threshold()

    @property
    def effective_threshold(self) -> float | None:
        return self.method.effective_threshold

    def preconditioner(self, params: Params, state: tuple[Params, Any]) -> Any:
        """That of the method at its own, not averaged, point."""
        del params
        return self.method.preconditioner(*state)
