"""A method seen through the filter that removes oscillations of period two."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from landscapes import Params

from ..method import Gradient, Method
from ..running.step import as_oracle, take_step
from ..sampling import Sampling
from ..traits import Threshold


class Window(NamedTuple):
    """Three points x_{n-1}, x_n, x_{n+1} of the run of a method, its states at the last two, and n + 1."""

    before: Params
    now: Params
    ahead: Params
    state: Any
    state_ahead: Any
    taken: Int[Array, ""]


class TimeAveraged(Method):
    """m_n = (x_{n-1} + 2 x_n + x_{n+1})/4 of the run x_n of a method; m_0 = x_0

    The midpoint process of Cohen, Damian et al. 2025, which their central flow is compared with: an oscillation
    (-1)^n r drops out, a smooth run is moved by O(h^2). `compare` takes it in the place of the method, with flows of
    the method. It runs one step ahead of the method, which costs one step in all.
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
        """That of the method."""
        return self.method.gradients_per_step

    @property
    def has_preconditioner(self) -> bool:  # type: ignore[override]
        """That of the method."""
        return self.method.has_preconditioner

    @property
    def sampling(self) -> Sampling:
        return self.method.sampling

    @property
    def observed(self) -> Method:
        return self.method

    def observed_state(self, state: Window) -> Any:
        return state.state

    def at(self, step: Any) -> Method:
        """Itself: which steps of the method are taken, its state knows."""
        del step
        return self

    def init(self, params: Params) -> Window:
        return self.from_state(params, self.method.init(params))

    def from_state(self, params: Params, state: Any) -> Window:
        return Window(params, params, params, state, state, jnp.asarray(0))

    def step(self, gradient: Gradient, params: Params, state: Window) -> tuple[Params, Window]:
        del params
        oracle = as_oracle(gradient)

        def moved(i: Array, window: Window) -> Window:
            after, state_after = take_step(self.method, oracle.at(i), window.ahead, window.state_ahead)
            return Window(window.now, window.ahead, after, window.state_ahead, state_after, i + 1)

        # Two at first, then one.
        new = jax.lax.fori_loop(state.taken, jnp.maximum(state.taken + 1, 2), moved, state)
        return jax.tree.map(lambda x, y, z: (x + 2 * y + z) / 4, new.before, new.now, new.ahead), new

    def stability_threshold(self) -> float | None:
        return self.method.stability_threshold()

    @property
    def effective_threshold(self) -> float | None:
        return self.method.effective_threshold

    def threshold(self) -> Threshold | None:
        return self.method.threshold()

    def preconditioner(self, params: Params, state: Window) -> Any:
        """That of the method at its own, not averaged, point."""
        del params
        return self.method.at(state.taken - 2).preconditioner(state.now, state.state)
