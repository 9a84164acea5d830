"""A stabilized method of order 4, of the kind of ROCK4."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .rock4_coefficients import FEWEST, Table, table
from .solver import Stabilized, combined


class _Carry(NamedTuple):
    """before: the point before, which stays the one that the last four stages start from.  slopes: dt f of those."""

    before: Any
    slopes: Any


class ROCK4(Stabilized):
    """s - 4 stages y_j = m_j dt f(y_{j-1}) + n_j y_{j-1} + (1 - n_j) y_{j-2}, and four that make the order 4

    The stability polynomial is a quartic times orthogonal polynomials, in the way of Abdulle 2002 (SIAM J. Sci. Comput.
    23, from memory); its coefficients are our own, see `rock4_coefficients`. Order 4, at least 5 stages, stable for dt
    times spectral radius up to 0.35 s^2 (0.24 s^2 for s = 5), |R| <= 0.95 there beyond dt times rate of 0.05. The error
    estimate comes from an embedded method of order 3.
    """

    most_stages: int = eqx.field(static=True, default=100)  # pyright: ignore[reportIncompatibleMethodOverride]

    def __check_init__(self):
        if self.most_stages < FEWEST:
            raise ValueError(f"`most_stages` must be at least {FEWEST}, got {self.most_stages}.")

    def order(self, terms: Any) -> int:
        """4."""
        return 4

    def error_order(self, terms: Any) -> int:
        """4, that of the estimate in one step."""
        return 4

    @property
    def _table(self) -> Table:
        return table(self.most_stages)

    @property
    def reach(self) -> float:
        """0.35 s^2."""
        return float(self._table.reach[-1])

    def stages_for(self, stiffness: Array) -> Array:
        row = jnp.searchsorted(jnp.asarray(self._table.reach.astype(stiffness.dtype)), stiffness)
        counts = jnp.asarray(np.append(self._table.stages, np.int32(self.most_stages + 1)))
        return counts[row].astype(int)

    def first_stage(self, s: Array, y: Any, increment: Any) -> tuple[Any, Any, Array]:
        own = self._row(s)
        slopes = jax.tree.map(lambda leaf: jnp.zeros((4, *jnp.shape(leaf)), leaf.dtype), y)
        return _Carry(y, slopes), combined((1, y), (own.step[0], increment)), own.time[1]

    def next_stage(self, s: Array, j: Array, carry: Any, point: Any, increment: Any) -> tuple[Any, Any, Array]:
        own = self._row(s)
        # Of the last four stages, which this one is.
        late = j - (s - 4)

        def recursion(_):
            m, n = own.step[j], own.kept[j]
            return (
                _Carry(point, carry.slopes),
                combined((m, increment), (n, point), (1 - n, carry.before)),
                own.time[j + 1],
            )

        def finish(_):
            base = jax.tree.map(lambda p, b: jnp.where(late == 0, p, b), point, carry.before)
            slopes = jax.tree.map(lambda rows, k: rows.at[late].set(k), carry.slopes, increment)
            weights = own.finish[late]
            moved = jax.tree.map(
                lambda b, rows: (b + jnp.tensordot(weights.astype(rows.dtype), rows, 1)).astype(b.dtype), base, slopes
            )
            return _Carry(base, slopes), moved, own.finish_time[late]

        return jax.lax.cond(late < 0, recursion, finish, None)

    def error(self, s: Array, carry: Any, y0: Any, y1: Any, increments: tuple[Any, Any]) -> Any:
        weights = self._row(s).error
        return jax.tree.map(
            lambda rows, last: (
                jnp.tensordot(weights[:4].astype(rows.dtype), rows, 1) + weights[4].astype(last.dtype) * last
            ),
            carry.slopes,
            increments[1],
        )

    def _row(self, s: Array) -> Table:
        """The coefficients for s stages, in the precision of the session."""
        stages, *columns = self._table
        row = jnp.searchsorted(jnp.asarray(stages), s.astype(jnp.int32))
        return Table(s, *(jnp.asarray(column.astype(jnp.result_type(float)))[row] for column in columns))
