"""What the iterates of a method do on average over an oscillation: the measured side of what edge models predict."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Float

from discrete import Method
from discrete.running.march import traced
from discrete.running.run import check_steps
from discrete.running.step import Oracle, take_step
from landscapes import Loss, Params

WINDOW = 40


class Oscillation(NamedTuple):
    """At every step n = 0, ..., steps of a run x_n, with m_n = (x_{n-1} + 2 x_n + x_{n+1})/4, m_0 = x_0.

    loss: L(x_n).  squared_gradient_norm: |grad L(x_n)|^2.  variance: |x_n - m_n|^2, the trace of the covariance.
    """

    loss: Float[np.ndarray, " steps"]
    squared_gradient_norm: Float[np.ndarray, " steps"]
    variance: Float[np.ndarray, " steps"]

    def averaged(self, window: int = WINDOW) -> "Oscillation":
        """Means over the window around each step; near the ends over what there is of it."""
        return Oscillation(*(_mean(rows, window) for rows in self))

    @property
    def onset(self) -> int:
        """Where the averaged variance last rises through a hundredth of its largest value before it gets there.

        What the first steps of a run do beyond h S = 1 is over by then.
        """
        variance = np.nan_to_num(_mean(self.variance, WINDOW))
        top = int(np.argmax(variance))
        below = np.flatnonzero(variance[:top] < variance[top] / 100)
        return int(below[-1]) + 1 if below.size else 0


def measure_oscillation(method: Method, loss: Loss, params: Params, *, steps: int, state: Any = None) -> Oscillation:
    """Run the method and measure every step. state: of the method at the start, None at rest."""
    check_steps(steps, 1)
    params = jax.tree.map(jnp.asarray, params)
    state = jax.tree.map(jnp.asarray, method.init(params) if state is None else state)
    return Oscillation(*(np.asarray(rows) for rows in _measured(traced(method), loss, params, state, steps)))


@eqx.filter_jit
def _measured(method: Method, loss: Loss, params: Params, state: Any, steps: int) -> Any:
    oracle, gradient = Oracle(loss, sampling=method.sampling), jax.grad(loss)

    def one(carry: Any, n: Any) -> Any:
        before, now, state = carry
        after, state = take_step(method, oracle.at(n), now, state)
        middle = jax.tree.map(lambda x, y, z: (x + 2 * y + z) / 4, before, now, after)
        swing = jnp.where(n > 0, optax.tree.norm(optax.tree.sub(now, middle), squared=True), 0)
        slope = optax.tree.norm(gradient(now), squared=True)
        return (now, after, state), (loss(now), slope, swing)

    return jax.lax.scan(one, (params, params, state), jnp.arange(steps + 1))[1]


def _mean(rows: np.ndarray, window: int) -> np.ndarray:
    # numpy's "same" is as long as the longer of the two.
    weights = np.ones(min(window, len(rows)))
    return np.convolve(rows, weights, "same") / np.convolve(np.ones_like(rows), weights, "same")
