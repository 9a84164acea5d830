"""One stage of the central flow: the critical directions, the oscillation that holds them, the motion of the centre."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int

from discrete import Method
from landscapes import Loss, Params, third_derivative, top_eigenpairs
from landscapes.curvature import warm_start
from landscapes.curvature.eigenpairs import inverse_root
from landscapes.curvature.warm_start import Track

from ..flow import FieldCost
from ..modified import ModifiedFlow
from ..running.stepped import Work
from .alternation import Alternation
from .complementarity import pair_weights, pairs, residual_tolerance, solve_complementarity, symmetric
from .memory import flat_preconditioner, memory_drift, memory_push

MARGIN = 0.05
SOLVED = 100
INDEFINITE = 1e-8
ROUNDING = 1e-13


class OscillationCovariance(NamedTuple):
    """Covariance U'X U of the oscillation and how it was found, at the last stage of the integration.

    directions: U, (k, n), with U P U' = 1.  covariance: X, (k, k).  curvatures: (k,) of P^-1 H, in units of 1/h.
    critical: how many directions took part.  residual, definiteness: the worst so far, of the complementarity problem.
    """

    directions: Float[Array, "k n"]
    covariance: Float[Array, "k k"]
    curvatures: Float[Array, " k"]
    critical: Int[Array, ""]
    residual: Float[Array, ""]
    definiteness: Float[Array, ""]


class Search(NamedTuple):
    """What the last searches for eigenvectors found, the oscillation found last, the work so far."""

    track: Track
    oscillation: OscillationCovariance
    work: Work


class Point(NamedTuple):
    """Flat params and memory, or a motion of them."""

    params: Array
    memory: Any


class Stage(NamedTuple):
    """How a central flow moves on flat params; tolerance, max_products and precision are those of its eigenpairs.

    loss: of the params as they are, not flat.
    """

    method: Method
    sees: Alternation
    modified: ModifiedFlow | None
    tolerance: float | None
    max_products: int
    precision: str | None
    loss: Loss
    unravel: Callable[[Array], Params]

    def flat_loss(self, params: Array) -> Array:
        """The loss of flat params."""
        return self.loss(self.unravel(params))

    @property
    def drift_cost(self) -> FieldCost:
        """Of one evaluation of the drift."""
        return FieldCost(gradients=1) if self.modified is None else self.modified.field_cost

    def moved(self, before: Search, here: Point, origin: Point, duration: Array) -> tuple[Point, Search, Array]:
        """origin + duration F(here), in steps of the method, with the oscillation that keeps its end stable."""
        method, sees, k = self.method, self.sees, before.oscillation.covariance.shape[0]
        h, nearly = method.learning_rate, sees.threshold * (1 - MARGIN)
        preconditioner = flat_preconditioner(method, self.unravel(here.params), here.memory)
        root = inverse_root(preconditioner, here.params)
        found = top_eigenpairs(
            self.loss,
            self.unravel(here.params),
            k,
            block=warm_start.guess(before.track),
            tolerance=self.tolerance,
            max_products=self.max_products,
            precision=self.precision,
            preconditioner=self.unravel(preconditioner),
            together=True,
            beyond=nearly / h,
        )
        curvatures, directions = h * found.values, root * found.vectors
        active = curvatures > nearly
        count = jnp.sum(active)
        index, weights = pairs(k), jnp.asarray(pair_weights(k), root.dtype)

        bends = self._bends(here.params, directions, count)
        gradient = jax.grad(self.flat_loss)(here.params)
        slope = self._drift(here.params, gradient, directions * active[:, None])
        drift = Point(root**2 * slope, memory_drift(method, here.memory, self.unravel(gradient)))
        images = jax.vmap(self.unravel)((curvatures / h)[:, None] * preconditioner * directions)
        pushed = jax.vmap(lambda weight, i, j: self._memory_push(here.memory, images, weight, i, j))
        pushes = Point(
            -h * sees.pace * sees.reach**2 / 2 * weights[:, None] * root**2 * bends, pushed(weights, *index.T)
        )

        def loosened(moved: Point) -> Array:
            """By how much c P - h H grows along the pairs of directions."""
            change = -h * (bends @ moved.params)
            if here.memory is None:
                return change

            def scale(memory: Any) -> Array:
                return flat_preconditioner(method, self.unravel(here.params), memory)

            _, lifted = jax.jvp(scale, (here.memory,), (moved.memory,))
            return change + sees.threshold * ((directions[index[:, 0]] * directions[index[:, 1]]) @ lifted)

        lag = jax.tree.map(lambda x, y, f: x - y + duration * f, origin, here, drift)
        slack = jnp.diag(sees.threshold - curvatures) + symmetric(loosened(lag), k)
        operator = duration * weights[:, None] * jax.vmap(loosened)(pushes).T
        rounding = max(ROUNDING, 4 * float(jnp.finfo(root.dtype).eps))
        solution = solve_complementarity(
            slack, operator, before.oscillation.covariance, active, rounding=rounding * sees.threshold
        )
        x = weights * solution.matrix[index[:, 0], index[:, 1]]
        end = jax.tree.map(lambda x0, f, rows: x0 + duration * (f + jnp.tensordot(x, rows, 1)), origin, drift, pushes)

        last = before.oscillation
        oscillation = OscillationCovariance(
            directions,
            solution.matrix,
            curvatures,
            count,
            jnp.maximum(last.residual, solution.residual),
            jnp.minimum(last.definiteness, solution.definiteness),
        )
        unsolved = ~(solution.residual < SOLVED * residual_tolerance(root.dtype))
        failed = jnp.select(
            [
                h * found.following > sees.threshold * (1 + SOLVED * rounding),
                # A Hessian that is decomposed takes as many as there are parameters.
                ~found.converged,
                unsolved & solution.out_of_reach,
                solution.definiteness < -INDEFINITE,
                unsolved,
            ],
            [1, 2, 5, 3, 4],
            0,
        )
        third = count * (count + 1) // 2
        cost = self.drift_cost
        work = before.work.plus(cost.gradients, cost.hessian_products + found.products + 2 * third)
        return end, Search(warm_start.followed(before.track, found), oscillation, work), failed

    def _bends(self, params: Array, directions: Array, count: Array) -> Float[Array, "p n"]:
        """T[u_i, u_j] of the critical pairs, which come first; 0 of the others, at no cost."""
        index = jnp.asarray(pairs(directions.shape[0]))

        def one(q: Array, rows: Array) -> Array:
            i, j = index[q]
            return rows.at[q].set(third_derivative(self.flat_loss, params, directions[i], directions[j]))

        rows = jnp.zeros((index.shape[0], *params.shape), params.dtype)
        return jax.lax.fori_loop(0, count * (count + 1) // 2, one, rows)

    def _drift(self, params: Array, gradient: Array, critical: Array) -> Array:
        """How P times the centre moves in a step where nothing oscillates."""
        h, sees = self.method.learning_rate, self.sees
        leading = -h * sees.pace * gradient
        if self.modified is None:
            return leading
        modified = h * self.modified.vector_field(self.flat_loss, 0.0, params)
        return modified - critical.T @ (critical @ (modified - leading))

    def _memory_push(self, memory: Any, images: Params, weight: Array, i: Array, j: Array) -> Any:
        a, b = (jax.tree.map(lambda rows, at=at: rows[at], images) for at in (i, j))
        return optax.tree.scale(weight, memory_push(self.method, memory, a, b))
