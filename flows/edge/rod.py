"""Rod flow: the centre of two successive iterates and the covariance of what separates them."""

import math
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Int

from discrete import Method
from landscapes import Loss, Params, gradient_and_product

from ..flow import Start, check_constant, check_counts, is_gradient_descent
from ..registered import named
from ..running.stepped import SteppedFlow, Work


class RodState(NamedTuple):
    """The centre w, the centre one step earlier, and S = U'U.  factor: U, orthogonal rows, the longest first."""

    centre: Params
    before: Params
    factor: Float[Array, "rank n"]
    work: Work


@named("rod", "centre and covariance of two successive iterates of gradient descent")
class RodFlow(SteppedFlow):
    """Gradient descent as the rod between x_n and x_{n+1}: w ~ (x_n + x_{n+1})/2, S ~ dd' of d = (x_{n+1} - x_n)/2

        dw/dn = -(h/2) (g_+ + g_-) - (h^2/8) (H_+ + H_-)(g_+ + g_-)
        dS/dn = (h^2/4) (g_+ g_+' + g_- g_-') - 2 S

    Regis and Chewi 2026 (arXiv 2602.01480), with time n counted in steps; g_+- and H_+- are gradient and Hessian at
    w +- d, and d = sqrt(s) v of the largest eigenpair (s, v) of S: how the paper takes d from S is not known here. The
    second term of w is the backward error of the first at fixed d. Past a sharpness of 2/h, S grows until the third and
    fourth derivatives hold it. On a quadratic of curvature c it grows like exp((h^2 c^2/2 - 2) n).

    rank: of S, which is kept as a sum of so many squares; the smallest that the forcing adds are dropped.
    substeps: in one step of the method, each of order 4 at 8 gradients and 8 Hessian products: Krogstad's exponential
        Runge-Kutta method (2005), which solves -2 S exactly and leaves the fixed points of the flow where they are.
    order: 2 where nothing alternates: d is then half a step of the drift. The onset of the oscillation is missed when
        the flow starts before it, since the gradient is only probed along the drift; `EdgeFlow` has a seed for that.
    Starts with x_0 and x_1 known: w = x_0 + d, d = -(h/2) grad L(x_0).
    `params` are (w(n - 1) + w(n))/2, the (x_{n-1} + 2 x_n + x_{n+1})/4 of `discrete.TimeAveraged(method)`; at n = 0
    the rod is extended backwards, which gives x_0 as there.
    Raises ValueError for a method other than gradient descent, or with a schedule.
    """

    method: Method
    rank: int = eqx.field(static=True)
    substeps: int = eqx.field(static=True)

    def __init__(self, method: Method, rank: int = 4, substeps: int = 4):
        check_constant("RodFlow", method)
        if not is_gradient_descent(method):
            raise ValueError(f"RodFlow describes GradientDescent, not {type(method).__name__}.")
        check_counts(rank=rank, substeps=substeps)
        self.method, self.rank, self.substeps = method, int(rank), int(substeps)

    @property
    def order(self) -> int:
        """2, where nothing alternates."""
        return 2

    def init(self, loss: Loss, start: Start) -> RodState:
        params = start.params
        flat, unravel = ravel_pytree(params)
        half = -self.method.learning_rate / 2 * ravel_pytree(jax.grad(loss)(params))[0]
        half = half.astype(flat.dtype)
        factor = jnp.zeros((self.rank, flat.size), flat.dtype).at[0].set(half)
        return RodState(unravel(flat + half), unravel(flat - half), factor, Work.none().plus(gradients=1))

    def params(self, state: RodState) -> Params:
        return jax.tree.map(lambda earlier, now: (earlier + now) / 2, state.before, state.centre)

    def step(self, loss: Loss, state: RodState, key: Any, n: Any) -> tuple[RodState, Int[Array, ""]]:
        del key, n
        flat, unravel = ravel_pytree(state.centre)

        def one(_: Any, rod: tuple) -> tuple:
            return self._substep(lambda centre, d: self._forces(loss, unravel, centre, d), *rod)

        centre, factor = jax.lax.fori_loop(0, self.substeps, one, (flat, state.factor))
        spent = state.work.plus(gradients=8 * self.substeps, hessian_products=8 * self.substeps)
        return RodState(unravel(centre), state.centre, factor, spent), jnp.asarray(0)

    def spent(self, state: RodState) -> Work:
        return state.work

    def predictions(self, loss: Loss, state: RodState) -> dict[str, Any]:
        """Averages of the loss and of |grad L|^2 over x_n and x_{n+1}, and the eigenvalues of S, descending."""
        flat, unravel = ravel_pytree(state.centre)
        ends = [unravel(flat + sign * state.factor[0]) for sign in (1, -1)]
        return {
            "loss": sum(map(loss, ends)) / 2,
            "squared_gradient_norm": sum(optax.tree.norm(jax.grad(loss)(end), squared=True) for end in ends) / 2,
            "variance": jnp.sort(jnp.sum(state.factor**2, axis=1), descending=True),
        }

    def _substep(self, forces: Any, centre: Array, factor: Array) -> tuple[Array, Array]:
        t = 1 / self.substeps
        (e1, p1, q1, _), (e2, p2, q2, r2) = _phi(-t), _phi(-2 * t)
        drift0, rows0 = forces(centre, factor[0])
        now = _combined(1, (e1, factor), (t / 2 * p1, rows0))
        drift1, rows1 = forces(centre + t / 2 * drift0, now[0])
        now = _combined(1, (e1, factor), (t / 2 * (p1 - 2 * q1), rows0), (t * q1, rows1))
        drift2, rows2 = forces(centre + t / 2 * drift1, now[0])
        now = _combined(1, (e2, factor), (t * (p2 - 2 * q2), rows0), (2 * t * q2, rows2))
        drift3, rows3 = forces(centre + t * drift2, now[0])
        middle = t * (2 * q2 - 4 * r2)
        factor = _combined(
            self.rank,
            (e2, factor),
            (t * (p2 - 3 * q2 + 4 * r2), rows0),
            (middle, rows1),
            (middle, rows2),
            (t * (4 * r2 - q2), rows3),
        )
        return centre + t / 6 * (drift0 + 2 * drift1 + 2 * drift2 + drift3), factor

    def _forces(self, loss: Loss, unravel: Any, centre: Array, d: Array) -> tuple[Array, Array]:
        """dw/dn, and rows F with F'F = dS/dn + 2 S."""
        h = self.method.learning_rate
        ends = [centre + sign * d for sign in (1, -1)]
        slopes = [ravel_pytree(jax.grad(loss)(unravel(end)))[0] for end in ends]
        both = sum(slopes)
        bends = [ravel_pytree(gradient_and_product(loss, unravel(end), unravel(both))[1])[0] for end in ends]
        drift = -(h / 2) * both - (h**2 / 8) * sum(bends)
        return drift.astype(centre.dtype), (h / 2 * jnp.stack(slopes)).astype(centre.dtype)


def _phi(z: float) -> tuple[float, ...]:
    """exp(z), (exp(z) - 1)/z, (exp(z) - 1 - z)/z^2, (exp(z) - 1 - z - z^2/2)/z^3"""
    e = math.exp(z)
    p = (e - 1) / z
    q = (p - 1) / z
    return e, p, q, (q - 0.5) / z


def _combined(rank: int, *squares: tuple[float, Array]) -> Array:
    """The longest of the orthogonal rows V with V'V = sum of weight U'U over the pairs (weight, U)."""
    rows = jnp.concatenate([math.sqrt(abs(weight)) * factor for weight, factor in squares])
    signs = np.concatenate([np.full(len(factor), math.copysign(1, weight)) for weight, factor in squares])
    signs = jnp.asarray(signs, rows.dtype)
    values, vectors = jnp.linalg.eigh(rows @ rows.T)
    root = (vectors * jnp.sqrt(jnp.maximum(values, 0))) @ vectors.T
    # For every eigenpair (s, y) of this, U'(signs root y) is an eigenvector of the sum, of length s.
    sizes, turn = jnp.linalg.eigh((root * signs) @ root)
    sizes, turn = sizes[::-1], turn.T[::-1]
    known = sizes > 10 * jnp.finfo(rows.dtype).eps * sizes[0]
    lengths = jnp.where(known, jnp.sqrt(jnp.where(known, sizes, 1)), jnp.inf)
    found = ((turn @ root * signs) / lengths[:, None]) @ rows
    return jnp.zeros((rank, rows.shape[1]), rows.dtype).at[: len(found)].set(found[:rank])
