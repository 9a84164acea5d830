"""The loop that all runs share: from sample to sample inside jit, from block to block outside it.

A `Side` is anything that moves from one sample to the next and is measured there: a method, a flow. One compiled call
advances a side by a block of samples and returns what was measured; between blocks the host saves, shows progress and
may be interrupted. Memory is bounded by the block, not by the run.
"""

import time
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool

from .threads import at_once, interruptible

Carry = Any
Measured = dict[str, Any]
Progress = Callable[[int, int], None]

# The row of an ensemble that says which of its members go on.
LIVING = "alive"

BLOCK_BYTES = 64 * 2**20
BLOCK_SAMPLES = 4096
FIRST_BLOCK = 1
BLOCK_SECONDS = 1.0

_PARTS_COUNT = ContextVar("parts_count", default=True)


class Side(eqx.Module):
    """One side of a run. A carry is a pytree of arrays; `reference` is what another side has at the same sample.

    replays: whether `advance` notices a failure only at a sample, and `replay`, from the last good one, finds its step.
    """

    replays: ClassVar[bool] = False

    @abstractmethod
    def begin(self) -> Carry:
        """The carry at sample 0, before any measurement."""

    @abstractmethod
    def advance(self, carry: Carry) -> Carry:
        """From one sample to the next."""

    @abstractmethod
    def measure(self, carry: Carry, reference: Any) -> tuple[Measured, Carry]:
        """The measurements at the current sample."""

    @abstractmethod
    def alive(self, carry: Carry) -> Bool[Array, ""]:
        """False once the side has failed; its last sample was the one before."""

    def replay(self, carry: Carry) -> Carry:
        """The carry of the failed side, from that of its last sample; only asked of a side that replays."""
        raise NotImplementedError


class Block(NamedTuple):
    """Measurements of consecutive samples, `capacity` rows on the device of which the first `samples` are valid."""

    measured: Measured
    samples: int
    seconds: float


class _Moved(NamedTuple):
    """A side behind a block, and whether the block is whole: a side that has failed does not finish it."""

    carry: Carry
    block: Block
    finished: bool


class Marched(NamedTuple):
    """How far the sides of a run have come: all that is needed to go on from here, and all that was measured.

    done: samples of the leading side.  samples, seconds: of each side.  parts: one dict of measurements per block.
    """

    carries: dict[str, Carry]
    samples: dict[str, int]
    seconds: dict[str, float]
    parts: list[dict[str, Measured]]
    done: int = 0
    interrupted: bool = False

    def measured(self, name: str) -> Measured:
        """All measurements of one side, leading axis samples."""
        rows = [part[name] for part in self.parts if name in part]
        return jax.tree.map(lambda *blocks: np.concatenate(blocks), *rows) if rows else {}


def traced(tree: Any) -> Any:
    """The tree with Python floats as (weakly typed) arrays: another learning rate then needs no compilation."""
    return jax.tree.map(lambda leaf: jnp.asarray(leaf) if isinstance(leaf, float) else leaf, tree)


@eqx.filter_jit
def _start(side: Side) -> Carry:
    return _strongly_typed(side.begin())


@eqx.filter_jit
def _advance(side: Side, carry: Carry, first: Array, count: Array, reference: Any, capacity: int):
    def at(i):
        return jax.tree.map(lambda rows: rows[i], reference)

    def one(loop):
        i, carry, rows = loop
        carry = jax.lax.cond(first + i > 0, lambda c: side.advance(c), lambda c: c, carry)
        # A side that failed on the way has no sample here: the row is not counted, and its instruments are done.
        alive = side.alive(carry)
        measured, carry = side.measure(carry, at(i))
        rows = jax.tree.map(lambda row, value: row.at[i].set(value), rows, measured)
        return i + alive, carry, rows

    def going(loop):
        i, carry, _ = loop
        return (i < count) & side.alive(carry)

    shapes = jax.eval_shape(lambda: side.measure(carry, at(0))[0])
    rows = jax.tree.map(lambda s: jnp.zeros((capacity, *s.shape), s.dtype), shapes)
    samples, carry, rows = jax.lax.while_loop(going, one, (jnp.asarray(0), carry, rows))
    return samples, _strongly_typed(carry), rows


def _strongly_typed(carry: Carry) -> Carry:
    """With a plain 0 somewhere in it, the carry of a second block would have other types, and be compiled again."""
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.result_type(leaf)), carry)


@eqx.filter_jit
def replayed(side: Side, carry: Carry) -> Carry:
    """What a side that replays makes of the carry of its last sample."""
    return side.replay(carry)


def advance(side: Side, carry: Carry, first: int, count: int, reference: Any, capacity: int) -> tuple[Carry, Block]:
    """Advance a side by up to `count` samples from sample number `first`, in one compiled call."""
    begin, start = time.perf_counter(), carry
    samples, carry, rows = _advance(side, start, jnp.asarray(first), jnp.asarray(count), reference, capacity)
    if side.replays and int(samples) < count:
        # A replay inside the compiled loop would slow every step of it by a quarter.
        _, last, _ = _advance(side, start, jnp.asarray(first), samples, reference, capacity)
        carry = replayed(side, last)
    jax.block_until_ready((carry, rows))
    return carry, Block(rows, int(samples), time.perf_counter() - begin)


def begin(sides: dict[str, Side], workers: int = 1) -> Marched:
    """All sides at sample 0, nothing measured yet."""
    works = {name: partial(_start, side) for name, side in sides.items()}
    carries = interruptible(lambda: at_once(works, workers))
    return Marched(carries, dict.fromkeys(sides, 0), dict.fromkeys(sides, 0.0), [])


@contextmanager
def whole_runs() -> Iterator[None]:
    """Within, Ctrl-C ends a run with KeyboardInterrupt instead of what is finished: for data that must be whole."""
    before = _PARTS_COUNT.set(False)
    try:
        yield
    finally:
        _PARTS_COUNT.reset(before)


def march(
    sides: dict[str, Side],
    samples: int,
    *,
    so_far: Marched | None = None,
    until: int | None = None,
    kept_for_followers: tuple[str, ...] = (),
    after_block: Callable[[Marched], None] | None = None,
    workers: int = 1,
) -> Marched:
    """Advance all sides in lockstep, block by block, until `samples` samples, the leader's failure, or Ctrl-C.

    until: stop after so many of them for now, in the same programs.  workers: sides that move at once, see `at_once`.

    The first side leads. Its measurements named in `kept_for_followers` are the reference of the others at the same
    sample, with which of its members go on where it is an ensemble; they stay on the device for one block, or two where
    the leader is ahead, as it is with several workers, and all but the latter are not returned. A follower that fails
    is left behind.
    after_block: called with all that is finished; an interrupt drops the blocks in hand and nothing else, but see
    `whole_runs`.
    """
    now = begin(sides, workers) if so_far is None else so_far
    leader = next(iter(sides))
    capacity = _capacity(sides[leader], now.carries[leader], samples)
    size, ahead = min(FIRST_BLOCK, capacity), None
    end = samples if until is None else min(until, samples)
    try:
        while now.done < end:
            clock, count = time.perf_counter(), min(size, end - now.done)
            lead = partial(_moved, sides[leader], reference=None, capacity=capacity)
            if ahead is None:
                first = {leader: partial(lead, now.carries[leader], now.done, count)}
                ahead = interruptible(lambda first=first: at_once(first, workers)[leader])
            follow = partial(_one_block, sides, now, ahead, kept_for_followers, capacity)
            left = end - now.done - ahead.block.samples if ahead.finished else 0
            further = partial(lead, ahead.carry, now.done + ahead.block.samples, min(size, left))
            also = partial(_tried, further) if left and workers > 1 else None
            now, following = interruptible(partial(follow, also, workers))
            if after_block:
                after_block(now)
            if not ahead.finished:
                break
            count, ahead = ahead.block.samples, following
            size = _next_size(size, count, capacity, time.perf_counter() - clock)
    except KeyboardInterrupt:
        if not _PARTS_COUNT.get():
            raise
        now = now._replace(interrupted=True)
    return now


def _moved(side: Side, carry: Carry, first: int, count: int, *, reference: Any, capacity: int) -> _Moved:
    carry, block = advance(side, carry, first, count, reference, capacity)
    return _Moved(carry, block, block.samples == count)


def _tried(work: Callable[[], Any]) -> Any:
    """None from work that raises an error, as it will again when it is asked for: first its like has to be kept."""
    try:
        return work()
    except Exception:
        return None


def _one_block(
    sides: dict[str, Side], now: Marched, led: _Moved, kept: tuple[str, ...], capacity: int, also: Any, workers: int
) -> tuple[Marched, _Moved | None]:
    """The followers beside the block that the leader has moved; and what `also` is worth, done at the same time."""
    leader, *followers = sides
    works = {} if also is None else {leader: also}
    # The slowest first, so that no worker waits for it alone.
    for name in sorted(followers, key=lambda name: -now.seconds[name]):
        if now.samples[name] == now.done:
            begin, count = now.carries[name], led.block.samples
            reference = handed(led.block.measured, kept)
            works[name] = partial(_moved, sides[name], begin, now.done, count, reference=reference, capacity=capacity)
    moved = at_once(works, workers)
    following = moved.pop(leader, None)
    moved[leader] = led
    carries, samples, seconds, part = dict(now.carries), dict(now.samples), dict(now.seconds), {}
    for name in sides:
        if name in moved:
            carries[name], block, _ = moved[name]
            samples[name] += block.samples
            seconds[name] += block.seconds
            part[name] = _rows(block, kept)
    done = now.done + led.block.samples
    return Marched(carries, samples, seconds, [*now.parts, part], done), following


def handed(measured: Measured, kept: tuple[str, ...]) -> Measured:
    """What the leader has measured that its followers are given."""
    return {name: measured[name] for name in (*kept, LIVING) if name in measured}


def _rows(block: Block, skip: tuple[str, ...]) -> Measured:
    kept = {name: value for name, value in block.measured.items() if name not in skip}
    return jax.tree.map(lambda rows: np.asarray(rows)[: block.samples], kept)


def _next_size(size: int, count: int, capacity: int, seconds: float) -> int:
    """Grow until a block takes about a second: often enough to save, to show progress and to be interrupted.

    A leader that is ahead moves a block of the size before: what it says of that is no reason to shrink again.
    """
    if seconds > 2 * BLOCK_SECONDS and count <= size:
        return max(1, size // 2)
    return min(capacity, 4 * size) if count == size and seconds < BLOCK_SECONDS / 4 else size


def _capacity(side: Side, carry: Carry, samples: int) -> int:
    """Rows of a block: at most 64 MiB of measurements; a power of 8, so that runs of many lengths share a program."""
    shapes = jax.eval_shape(lambda c: side.measure(c, None)[0], carry)
    bytes_per_sample = sum(int(np.prod(leaf.shape)) * leaf.dtype.itemsize for leaf in jax.tree.leaves(shapes))
    most = max(1, min(BLOCK_SAMPLES, BLOCK_BYTES // max(1, bytes_per_sample)))
    return min(most, 8 ** -(-(samples - 1).bit_length() // 3))


def shown(progress: Progress | None, every: int, steps: int) -> Callable[[Marched], None]:
    """progress(steps done, steps) as something to call after each block."""
    return lambda marched: progress((marched.done - 1) * every, steps) if progress and marched.done else None
