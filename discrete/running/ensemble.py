"""Several members of one side in a single compiled run: each moves, is measured and fails as it would alone."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Bool

from .march import LIVING, Carry, Marched, Measured, Side, replayed
from .status import COMPLETED, Status
from .trajectory import Cost, Trajectory

# Numbers of a member from which a CPU takes one after the other: batched, its products of matrices take twice as long,
# and all members take the branches and the searches of each.
LARGE = 1000


class EnsembleCarry(NamedTuple):
    """Where the members stand, a leading axis of members on every leaf.

    now: of each member at its last sample.  beside: of one that goes on, where it was at the sample before; of one that
    failed, the carry with which it failed.  alive: which of them go on.  failed: which did so until this sample only.
    """

    now: Carry
    beside: Carry
    alive: Bool[Array, " members"]
    failed: Bool[Array, " members"]


class Ensemble(Side):
    """Any side, `count` times over, with what differs from member to member stacked.

    varying: the side with nothing but the stacked leaves.  shared: the same side with all the rest.

    Every row gains an axis of members after that of the samples, and there is one more, `alive`. A member that fails
    is left at its last good carry and the others go on; from then on its place computes what a living one does, so that
    it costs no more than that, and is thrown away. A member of a follower ends with that of its leader.
    Members are batched, where sums may round otherwise than in a run alone; on a CPU large ones follow one another, in
    the same program.
    """

    replays: ClassVar[bool] = False
    varying: Side
    shared: Side
    count: int = eqx.field(static=True)

    def member(self, i: int) -> Side:
        """The side of one member."""
        return eqx.combine(jax.tree.map(lambda leaf: leaf[i], self.varying), self.shared)

    def inside(self, wrap: Callable[[Any], Side]) -> "Ensemble":
        """The ensemble of wrap(side); what wrap adds is shared."""
        stacked = {id(leaf) for leaf in jax.tree.leaves(self.varying)}
        whole = wrap(eqx.combine(self.varying, self.shared))
        return Ensemble(*eqx.partition(whole, lambda leaf: id(leaf) in stacked), self.count)

    def begin(self) -> EnsembleCarry:
        now = self._each(lambda side: side.begin(), jnp.arange(self.count))
        alive = self._living(now)
        return EnsembleCarry(now, now, alive, jnp.zeros_like(alive))

    def alive(self, carry: EnsembleCarry) -> Bool[Array, ""]:
        return jnp.any(carry.alive)

    def advance(self, carry: EnsembleCarry) -> EnsembleCarry:
        now, alive = carry.now, carry.alive
        moved = self._each(lambda side, one: side.advance(one), self._busy(alive), now)
        well = alive & self._living(moved)
        # What is not now is beside it: the carry before, or the one that failed.
        beside = _chosen(alive, _chosen(well, now, moved), carry.beside)
        return EnsembleCarry(_chosen(well, moved, now), beside, well, alive & ~well)

    def measure(self, carry: EnsembleCarry, reference: Any) -> tuple[Measured, EnsembleCarry]:
        now, beside, alive = carry.now, carry.beside, carry.alive
        if reference is not None and LIVING in reference:
            led = reference[LIVING]
            # Alone, a follower would not have set out for a sample that its leader did not reach.
            now, beside = _chosen(alive & ~led, beside, now), _chosen(carry.failed & ~led, now, beside)
            alive &= led
            reference = {name: rows for name, rows in reference.items() if name != LIVING}
        busy = self._busy(alive)
        if reference is None:
            measured, seen = self._each(lambda side, one: side.measure(one, None), busy, now)
        else:
            measured, seen = self._each(lambda side, one, other: side.measure(one, other), busy, now, reference)
        return measured | {LIVING: alive}, EnsembleCarry(_chosen(alive, seen, now), beside, alive, carry.failed)

    def ended(self, carry: EnsembleCarry, i: int) -> tuple[Side, Carry]:
        """The side of one member and the carry with which it would have come out of a run alone."""
        side, last = self.member(i), jax.tree.map(lambda leaf: leaf[i, ...], carry.now)
        if carry.alive[i]:
            return side, last
        last, beside = (jax.tree.map(lambda leaf: jnp.asarray(leaf[i]), one) for one in (carry.now, carry.beside))
        if side.alive(beside):
            return side, last
        return side, replayed(side, last) if side.replays else beside

    def _living(self, carries: Carry) -> Bool[Array, " members"]:
        return self._each(lambda side, one: side.alive(one), jnp.arange(self.count), carries)

    def _busy(self, alive: Bool[Array, " members"]) -> Array:
        """Which member each place computes: a dead one what the first living one does."""
        return jnp.where(alive, jnp.arange(self.count), jnp.argmax(alive))

    def _each(self, do: Callable[..., Any], which: Array, *stacked: Any) -> Any:
        def one(varying: Any, *own: Any) -> Any:
            return do(eqx.combine(varying, self.shared), *own)

        taken = jax.tree.map(lambda leaf: leaf[which], (self.varying, *stacked))
        if jax.default_backend() == "cpu" and _numbers(taken) >= LARGE * self.count:
            return jax.lax.map(lambda own: one(*own), taken)
        return jax.vmap(one, axis_size=self.count)(*taken)


def _numbers(tree: Any) -> int:
    """How many numbers all leaves hold."""
    return sum(leaf.size for leaf in jax.tree.leaves(tree))


def ensemble_of(build: Callable[[Any], Side], members: Any, count: int) -> Ensemble:
    """The ensemble of build(member). members: a pytree of arrays with a leading axis of that length.

    Built once for all: what `build` makes of a member is stacked, what it takes from elsewhere is shared.
    """
    shared: list[Side] = []

    def one(member: Any) -> Side:
        varying, rest = eqx.partition(build(member), lambda leaf: isinstance(leaf, Tracer))
        shared.append(rest)
        return varying

    varying = jax.vmap(one, axis_size=count)(members)
    return Ensemble(varying, shared[-1], count)


def ensemble_trajectory(
    ensemble: Ensemble, marched: Marched, name: str, record: Callable[[Any, Marched], Trajectory]
) -> Trajectory:
    """The record of an ensemble from how far it has come. record: of a member's side, from how far that has come."""
    measured = marched.measured(name)
    living = measured.pop(LIVING, np.zeros((0, ensemble.count), bool))
    # Of an array on the host a member is taken a hundred times as fast.
    stood, found = jax.tree.map(_on_host, marched.carries[name]), []
    for i, samples in enumerate(np.sum(living, axis=0)):
        side, carry = ensemble.ended(stood, i)
        own = jax.tree.map(lambda rows, i=i, samples=samples: rows[:samples, i], measured)
        alone = Marched({name: carry}, {name: int(samples)}, {name: 0.0}, [{name: own}], marched.done)
        found.append(record(side, alone._replace(interrupted=marched.interrupted)))
    return gathered(found, marched.samples[name], marched.seconds[name])


def gathered(members: Sequence[Trajectory], samples: int, seconds: float) -> Trajectory:
    """Trajectories of the members as one: see `Trajectory`."""
    which = int(np.argmax([len(one.steps) for one in members]))
    longest = members[which]
    final_params, final_state = (
        jax.tree.map(_stacked, *(getattr(one, name) for one in members)) for name in ("final_params", "final_state")
    )
    times = _side_by_side([one.times for one in members], samples)
    known = times[:, [which]]
    return Trajectory(
        longest.steps,
        known[:, 0] if np.all((times == known) | np.isnan(times)) else times,
        {key: _side_by_side([one.observations[key] for one in members], samples) for key in longest.observations},
        final_params,
        common_status([one.status for one in members]),
        _together([one.cost for one in members])._replace(seconds=seconds),
        jax.tree.map(lambda *rows: _side_by_side(rows, samples), *(one.params for one in members)),
        final_state,
        {key: _side_by_side([one.predictions[key] for one in members], samples) for key in longest.predictions},
        longest.columns,
        tuple(one.status for one in members),
    )


def common_status(statuses: Sequence[Status]) -> Status:
    """Of an ensemble: that of the members that are left, or, where none is, what became of them."""
    left = [status for status in statuses if status.kind in ("completed", "interrupted")]
    if left:
        return next((status for status in left if status.kind == "interrupted"), COMPLETED)
    diverged = [status for status in statuses if status.kind == "diverged"]
    first = min((status.step for status in statuses if status.step is not None), default=None)
    told = [f"{len(diverged)} of {len(statuses)} members diverged"] if diverged else []
    told += [f"{len(statuses) - len(diverged)} of {len(statuses)} stopped"] if len(diverged) < len(statuses) else []
    at = "" if first is None else f", the first at step {first:.6g}"
    return Status("stopped", first, ", ".join(told) + at)


def without_the_ended(rows: np.ndarray, living: Bool[np.ndarray, "samples members"]) -> np.ndarray:
    """Rows (samples, members, ...) with NaN where a member has ended; whole numbers then become floats."""
    if living.all():
        return rows
    shape = living.shape + (1,) * (rows.ndim - 2)
    return np.where(living.reshape(shape), rows, np.asarray(np.nan, np.result_type(rows, np.float32)))


def _side_by_side(rows: Sequence[np.ndarray], samples: int) -> np.ndarray:
    """Rows of members, each to its own end, as (samples, members, ...)."""
    padded = [np.pad(one, [(0, samples - len(one)), *[(0, 0)] * (one.ndim - 1)]) for one in rows]
    living = np.arange(samples)[:, None] < np.array([len(one) for one in rows])
    return without_the_ended(np.stack(padded, axis=1), living)


def _on_host(leaf: Array) -> Any:
    return leaf if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key) else np.asarray(leaf)


def _stacked(*leaves: Any) -> Array:
    if jnp.issubdtype(leaves[0].dtype, jax.dtypes.prng_key):
        return jnp.stack(leaves)
    return jnp.asarray(np.stack([np.asarray(leaf) for leaf in leaves]))


def _together(costs: Sequence[Cost]) -> Cost:
    """The work of all; None where one of them is not known."""
    found = {name: [getattr(cost, name) for cost in costs] for name in Cost._fields}
    total: Any = {name: None if None in entries else sum(entries) for name, entries in found.items()}
    return Cost(**total)


def _chosen(which: Bool[Array, " members"], one: Carry, other: Carry) -> Carry:
    """Member by member from one carry or from another."""

    def leaf(a: Array, b: Array) -> Array:
        return jnp.where(which.reshape(which.shape + (1,) * (a.ndim - 1)), a, b)

    return jax.tree.map(leaf, one, other)
