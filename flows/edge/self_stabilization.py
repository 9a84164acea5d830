"""Self-stabilization: gradient descent held at the edge of stability, and its displacement from there."""

from collections.abc import Callable
from typing import Any, ClassVar, Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool, Float, Int

from discrete import Method
from discrete.running.divergence_radius import DIVERGENCE_RADIUS, divergence_distance
from landscapes import Loss, Params, gradient_and_product, third_derivative, top_eigenpairs
from landscapes.curvature.eigenpairs import start_block

from ..flow import Start, check_constant, check_counts, is_gradient_descent
from ..registered import named
from ..running.stepped import SteppedFlow, Work
from .seed import ROUNDING, check_noise, typed_swing

DISPLACEMENTS = ("published", "cubic", None)
# The direction, not the sharpness, must be accurate: its error is the square root of that of an eigenvalue.
TOLERANCE = 1e-10
MAX_PRODUCTS = 500
MARGIN = 0.05

Displacement = Literal["published", "cubic"] | None


class Local(NamedTuple):
    """The loss around a point, to the third order in one direction.

    gradient: (n,).  sharpness, second: S and the eigenvalue after it.  direction: u, (n,), of one sign along a run.
    bend: the gradient of S without its part along u, (n,).  block: the start of the next search for eigenvectors.
    converged: whether this search and all before it did.
    """

    gradient: Float[Array, " n"]
    sharpness: Float[Array, ""]
    second: Float[Array, ""]
    direction: Float[Array, " n"]
    bend: Float[Array, " n"]
    block: Float[Array, "b n"]
    converged: Bool[Array, ""]


class Stabilized(NamedTuple):
    """The constrained trajectory and the displacement v of the iterates from it, (n,); at_edge: since the crossing."""

    constrained: Params
    displacement: Float[Array, " n"]
    local: Local
    at_edge: Bool[Array, ""]
    steps: Int[Array, ""]
    work: Work


class Landing(NamedTuple):
    """Where gradient descent or a projection leads, (n,), and the loss there; pushed: whether S was at 2/h at first."""

    point: Float[Array, " n"]
    local: Local
    at_edge: Bool[Array, ""]
    pushed: Bool[Array, ""]
    work: Work


@named("self-stabilization", "gradient descent held at the edge of stability, and its predicted displacement")
@named("self-stabilization-cubic", "the same with all of the loss to third order", displacement="cubic")
class SelfStabilization(SteppedFlow):
    """x+ <- proj_M(x+ - h grad L(x+)),   M = {S <= 2/h, u'grad L = 0},   and iterates x+ + v around it:

        v <- v - h (H v + x y u + (x^2 - d^2)/2 grad_S),   x = u'v,   y = grad_S'v,   d^2 = 2 a/b

    Damian, Nichani and Lee 2023 (ICLR), for gradient descent with one critical direction: S the sharpness, u its
    eigenvector, grad_S its gradient less the part along u, a = -grad L'grad_S, b = |grad_S|^2. Where S = 2/h, x and y
    follow x <- -(1 + h y) x, y <- y + h (a - b x^2/2) as long as u and grad_S stand still.

    Before S first reaches 2/h, x+ is gradient descent and v = 0: their theory starts at the crossing, with v what the
    projection takes off. The projections are their linearized ones, -max(0, S - 2/h) grad_S/b - u (u'grad L)/S,
    `projections` times. Where they do not push, as S falls by itself, d^2 is 0.

    displacement: "published", the map above, or "cubic", derived here: all of the expansion of grad L to second order,
        v <- v - h (H v + T[v, v]/2) + (what the projection took off),
        which is gradient descent itself on a cubic loss. The published map drops T[u, u, u], which damps the loop of
        x and y, and the rest of T[u, v], which adds up in flat directions. None: x+ alone.
    noise: the standard deviation of a normal number added to x in each step, for the rounding of the iterates, from
        which the oscillation grows: see `EdgeFlow`. At the crossing x is u'grad L/S, the lag behind a moving valley;
        the published map takes it for an oscillation, and its first burst may come early.
    swing: the alternating part of the params at the start, shaped like them, where a run is past its crossing already:
        x+ starts at proj_M(params - swing), and v is the rest. Without it a start with S >= 2/h is projected itself.
    tolerance: of the eigenvalues, relative; that of u is its root. None: 1e-10, more in lower precision.
    order: None, nothing is claimed at fixed time for h -> 0, where there is no edge.

    `params` are x+ + v without x u: compare them with `discrete.TimeAveraged(method)`, in which what alternates drops
    out. `iterate` is x+ + v. What it predicts: "loss", L + S x^2/2, and "squared_gradient_norm", |grad L|^2 + S^2 x^2,
    at x+, averages over the alternation; "variance" (1,), x^2; "displacement", x; "sharpness", S + y.
    Raises ValueError for other methods and for schedules.
    """

    method: Method
    displacement: Displacement = eqx.field(static=True)
    noise: Any
    swing: Params | None
    projections: int = eqx.field(static=True)
    tolerance: float | None = eqx.field(static=True)
    order: ClassVar[None] = None
    failures: ClassVar[tuple[str, ...]] = (
        "the second eigenvalue came within 5 % of the edge: more than one critical direction",
        "the search for eigenvectors did not converge",
        "the displacement diverged",
    )

    def __init__(
        self,
        method: Method,
        displacement: Displacement = "published",
        noise: Any = ROUNDING,
        swing: Params | None = None,
        projections: int = 3,
        tolerance: float | None = None,
    ):
        if not is_gradient_descent(method):
            raise ValueError(f"SelfStabilization describes GradientDescent, not {type(method).__name__}.")
        check_constant("SelfStabilization", method)
        if displacement not in DISPLACEMENTS:
            raise ValueError(f"`displacement` must be 'published', 'cubic' or None, got {displacement!r}.")
        check_noise(noise)
        check_counts(projections=projections)
        self.method, self.displacement, self.noise, self.swing = method, displacement, noise, swing
        self.projections, self.tolerance = projections, tolerance

    def init(self, loss: Loss, start: Start) -> Stabilized:
        params = start.params
        flat, unravel = ravel_pytree(params)
        if flat.shape[0] < 2:
            raise ValueError("SelfStabilization needs a loss of at least 2 parameters, got 1.")
        begin = flat - self._swing(params)
        block, zero = start_block(params, 2), jnp.zeros((), flat.dtype)
        nowhere = Local(flat, zero, zero, block[0], flat, block, jnp.asarray(True))
        at_edge = jnp.asarray(self.swing is not None)
        found = self._settled(_on_flat(loss, unravel), Landing(begin, nowhere, at_edge, at_edge, Work.none()))
        displacement = jnp.zeros_like(flat) if self.displacement is None else flat - found.point
        return Stabilized(unravel(found.point), displacement, found.local, found.at_edge, jnp.asarray(0), found.work)

    def params(self, state: Stabilized) -> Params:
        u, v = state.local.direction, state.displacement
        return _moved(state.constrained, v - (u @ v) * u)

    def iterate(self, state: Stabilized) -> Params:
        """x+ + v, which alternates as the iterates do."""
        return _moved(state.constrained, state.displacement)

    def spent(self, state: Stabilized) -> Work:
        return state.work

    def step(self, loss: Loss, state: Stabilized, key: Any, n: Any) -> tuple[Stabilized, Int[Array, ""]]:
        del key, n
        flat, unravel = ravel_pytree(state.constrained)
        level, edge = _on_flat(loss, unravel), self._edge(flat)
        descended = flat - self._rate(flat) * state.local.gradient
        found = self._settled(level, Landing(descended, state.local, state.at_edge, state.at_edge, state.work))
        local, displacement, work = found.local, state.displacement, found.work
        if self.displacement is not None:
            taken = descended - found.point
            if self.displacement == "published":
                here = state.local
                half_square = _over_square(-here.gradient @ here.bend, here.bend)
                force = self._rate(flat) * jnp.where(found.pushed, half_square, 0) * here.bend
                taken = jnp.where(state.at_edge, force, taken)
            displacement, work = self._displaced(level, flat, state, work)
            displacement = displacement + taken + self._noise(state.steps, flat) * local.direction
        # `params` lack x, so that nobody else sees it diverge.
        away = jnp.linalg.norm(displacement) > divergence_distance(state.constrained, DIVERGENCE_RADIUS)
        crowded = found.at_edge & (local.second > (1 - MARGIN) * edge)
        failed = jnp.select([crowded, ~local.converged, away], [1, 2, 3], 0)
        moved = Stabilized(unravel(found.point), displacement, local, found.at_edge, state.steps + 1, work)
        # What it was before the step that its theory does not cover, at the price of that step.
        kept = jax.tree.map(lambda new, old: jnp.where(failed > 0, old, new), moved, state)
        return kept._replace(work=work), failed

    def predictions(self, loss: Loss, state: Stabilized) -> dict[str, Any]:
        local, v = state.local, state.displacement
        if self.displacement is None:
            return {"sharpness": local.sharpness}
        x = local.direction @ v
        return {
            "loss": loss(state.constrained) + local.sharpness * x**2 / 2,
            "squared_gradient_norm": local.gradient @ local.gradient + (local.sharpness * x) ** 2,
            "variance": x[None] ** 2,
            "displacement": x,
            "sharpness": local.sharpness + local.bend @ v,
        }

    def _displaced(self, level: Loss, flat: Array, state: Stabilized, work: Work) -> tuple[Array, Work]:
        """v moved by the expansion of the gradient around x+."""
        local, v, h = state.local, state.displacement, self._rate(flat)
        _, product = gradient_and_product(level, flat, v)
        if self.displacement == "cubic":
            return v - h * (product + third_derivative(level, flat, v, v) / 2), work.plus(0, 3)
        x, y = local.direction @ v, local.bend @ v
        return v - h * (product + x * y * local.direction + x**2 / 2 * local.bend), work.plus(0, 1)

    def _settled(self, level: Loss, start: Landing) -> Landing:
        """On M, where the run has come to the edge; else where it starts."""
        edge = self._edge(start.point)

        def measured(now: tuple) -> tuple:
            i, _, at = now
            local, work = self._local(level, at.point, at.local, at.work)
            over = local.sharpness >= edge
            at_edge = at.at_edge | over
            more = at_edge & (i < self.projections)
            down = _over_square(jnp.maximum(local.sharpness - edge, 0), local.bend) * local.bend
            across = (local.direction @ local.gradient) / local.sharpness * local.direction
            point = jnp.where(more, at.point - down - across, at.point)
            return i + 1, more, Landing(point, local, at_edge, jnp.where(i == 0, over, at.pushed), work)

        begin = (jnp.asarray(0), jnp.asarray(True), start)
        return jax.lax.while_loop(lambda now: now[1], measured, begin)[2]

    def _local(self, level: Loss, point: Array, near: Local, work: Work) -> tuple[Local, Work]:
        """The loss around a point close to one where it is known."""
        rounding = 100 * float(jnp.finfo(point.dtype).eps)
        found = top_eigenpairs(
            level,
            point,
            2,
            block=near.block,
            tolerance=max(TOLERANCE, rounding) if self.tolerance is None else self.tolerance,
            max_products=MAX_PRODUCTS,
        )
        u = found.vectors[0] * jnp.where(found.vectors[0] @ near.direction < 0, -1, 1)
        bend = third_derivative(level, point, u, u)
        converged = near.converged & found.converged
        local = Local(
            jax.grad(level)(point),
            found.values[0],
            found.values[1],
            u,
            bend - (u @ bend) * u,
            found.block,
            converged,
        )
        return local, work.plus(1, found.products + 2)

    def _rate(self, flat: Array) -> Array:
        return jnp.asarray(self.method.learning_rate, flat.dtype)

    def _edge(self, flat: Array) -> Array:
        return 2 / self._rate(flat)

    def _noise(self, step: Array, flat: Array) -> Array:
        number = jax.random.normal(jax.random.fold_in(jax.random.key(0), step), dtype=flat.dtype)
        return jnp.asarray(self.noise * number, flat.dtype)

    def _swing(self, params: Params) -> Any:
        if self.swing is None:
            return 0
        return ravel_pytree(typed_swing(self.swing, params))[0]


def _over_square(number: Array, vector: Array) -> Array:
    """number/|vector|^2; 0 for no vector, as on a quadratic, where nothing lowers the sharpness."""
    size = vector @ vector
    return jnp.where(size > 0, number / jnp.where(size > 0, size, 1), 0)


def _on_flat(loss: Loss, unravel: Callable[[Array], Params]) -> Loss:
    return lambda flat: loss(unravel(flat))


def _moved(params: Params, displacement: Array) -> Params:
    flat, unravel = ravel_pytree(params)
    return unravel(flat + displacement)
