"""The loop under all runs: blocks, lockstep, failure and interruption, on sides small enough to count by hand."""

import threading

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array
from method_cases import compilations

import discrete
import flows
import landscapes
from discrete.running import march as loop
from discrete.running.march import Side, begin, march, whole_runs
from discrete.running.threads import at_once


class Counter(Side):
    """Counts samples: carry (n, number of measurements). Fails on the way to sample `fails_at`."""

    fails_at: Array = eqx.field(converter=jnp.asarray, default=10**9)
    width: int = eqx.field(static=True, default=1)

    def begin(self):
        return jnp.asarray(0), jnp.asarray(0)

    def advance(self, carry):
        return carry[0] + 1, carry[1]

    def measure(self, carry, reference):
        n, measurements = carry
        measured = {"n": jnp.full(self.width, n), "times": measurements + 1}
        if reference is not None:
            measured["ahead"] = reference["n"][0] - n
        return measured, (n, measurements + 1)

    def alive(self, carry):
        return carry[0] < self.fails_at


class Exploding(Counter):
    """Ends a run with an error on the way to its first sample."""

    def advance(self, carry):
        return eqx.error_if(carry[0], carry[0] == 0, "no further") + 1, carry[1]


AT_ONCE = pytest.mark.parametrize("workers", [1, 3])


@pytest.mark.parametrize("samples", [1, 2, 7, 8, 9, 4096, 9001])
def test_every_sample_is_measured_once_and_in_order_whatever_the_blocks(samples):
    marched = march({"side": Counter()}, samples)
    measured = marched.measured("side")
    assert marched.done == marched.samples["side"] == samples and not marched.interrupted
    assert measured["n"][:, 0].tolist() == list(range(samples))
    assert measured["times"].tolist() == list(range(1, samples + 1))


def test_long_runs_take_several_blocks_and_are_shown_each():
    seen = []
    marched = march({"side": Counter()}, 9001, after_block=lambda now: seen.append(now.done))
    assert len(seen) == len(marched.parts) > 2
    assert seen == np.cumsum([len(part["side"]["n"]) for part in marched.parts]).tolist()


def test_a_run_of_many_blocks_is_compiled_once():
    """The eigenvectors of a sharpness are carried on, with an integer that starts as a plain 0."""
    toy = landscapes.two_valleys()
    observe = {"sharpness": landscapes.Sharpness(toy.loss)}
    with compilations() as compiled:
        run = discrete.run(discrete.GradientDescent(0.01), toy.loss, toy.params, steps=100, observe=observe)
    assert run.completed and len(run.steps) == 101
    assert len([name for name in compiled if "jit(_advance)" in name]) == 1


@pytest.mark.parametrize("integrator", [flows.explicit(), flows.stabilized()], ids=["explicit", "stabilized"])
def test_a_flow_of_many_blocks_is_compiled_once(integrator):
    toy = landscapes.two_valleys()
    flow = flows.GradientFlow(discrete.GradientDescent(0.01))
    with compilations() as compiled:
        solution = flows.solve(flow, toy.loss, toy.params, steps=100, integrator=integrator)
    assert solution.completed and len(solution.steps) == 101
    assert len([name for name in compiled if "jit(_advance)" in name]) == 1


def test_a_block_is_bounded_in_bytes():
    row = 2**22
    marched = march({"side": Counter(width=row // 8)}, 20)
    assert 8 * row <= max(part["side"]["n"].nbytes for part in marched.parts) <= loop.BLOCK_BYTES
    assert marched.samples["side"] == 20


@pytest.mark.parametrize("fails_at", [1, 5, 8, 100])
def test_a_side_that_fails_has_exactly_the_samples_before(fails_at):
    marched = march({"side": Counter(fails_at)}, 1000)
    assert marched.samples["side"] == fails_at
    assert marched.measured("side")["n"][:, 0].tolist() == list(range(fails_at))


@AT_ONCE
@pytest.mark.parametrize("fails_at", [1, 5, 77])
def test_a_failing_leader_stops_its_followers_at_its_last_sample(fails_at, workers):
    sides = {"leader": Counter(fails_at), "follower": Counter()}
    marched = march(sides, 1000, kept_for_followers=("n",), workers=workers)
    assert marched.samples == {"leader": fails_at, "follower": fails_at}
    assert marched.carries["leader"][0] == fails_at


@AT_ONCE
def test_a_failing_follower_is_left_behind(workers):
    sides = {"leader": Counter(), "lame": Counter(33), "sound": Counter()}
    marched = march(sides, 500, kept_for_followers=("n",), workers=workers)
    assert marched.samples == {"leader": 500, "lame": 33, "sound": 500}
    assert len(marched.measured("lame")["times"]) == 33


@AT_ONCE
def test_followers_see_the_leader_at_the_same_sample_and_what_they_see_is_not_stored(workers):
    marched = march({"leader": Counter(), "follower": Counter()}, 500, kept_for_followers=("n",), workers=workers)
    assert marched.measured("follower")["times"].tolist() == list(range(1, 501))
    assert not marched.measured("follower")["ahead"].any()
    assert set(marched.measured("leader")) == {"times"}


def test_the_leader_moves_its_next_block_beside_its_followers(monkeypatch):
    seen = []
    monkeypatch.setattr(
        loop, "at_once", lambda works, workers: seen.append((set(works), workers)) or at_once(works, workers)
    )
    march({"leader": Counter(), "follower": Counter()}, 500, kept_for_followers=("n",), workers=3)
    (start, first, *others, last) = seen
    assert start == ({"leader", "follower"}, 3) and first == ({"leader"}, 3)
    assert others == [({"leader", "follower"}, 3)] * len(others) and others and last == ({"follower"}, 3)


def test_what_is_finished_is_kept_before_an_error_of_the_leader_ahead_is_raised():
    kept = []
    sides = {"leader": Exploding(), "follower": Counter()}
    with pytest.raises(RuntimeError, match="no further"):
        march(sides, 500, kept_for_followers=("n",), after_block=lambda now: kept.append(now.done), workers=2)
    assert kept == [1]


@AT_ONCE
def test_a_march_goes_on_from_where_another_ended(workers):
    sides = {"leader": Counter(), "follower": Counter(41)}
    halfway = march(sides, 137, kept_for_followers=("n",), workers=workers)
    assert halfway.carries["leader"][0] == halfway.done - 1 == 136
    resumed = march(sides, 300, so_far=halfway, kept_for_followers=("n",), workers=workers)
    whole = march(sides, 300, kept_for_followers=("n",))
    assert resumed.samples == whole.samples == {"leader": 300, "follower": 41}
    for name in sides:
        assert resumed.measured(name)["times"].tolist() == whole.measured(name)["times"].tolist()


@AT_ONCE
def test_an_interrupt_keeps_the_blocks_that_are_finished(workers):
    def interrupt(now):
        if now.done > 20:
            raise KeyboardInterrupt

    marched = march({"side": Counter()}, 9001, after_block=interrupt, workers=workers)
    assert marched.interrupted and 20 < marched.done < 9001
    assert marched.carries["side"][0] == marched.done - 1
    assert marched.measured("side")["n"][:, 0].tolist() == list(range(marched.done))
    assert march({"side": Counter()}, 9001, so_far=marched._replace(interrupted=False)).done == 9001


def test_among_whole_runs_an_interrupt_ends_everything_and_only_there():
    def interrupt(now):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), whole_runs():
        march({"side": Counter()}, 9001, after_block=interrupt)
    assert march({"side": Counter()}, 9001, after_block=interrupt).interrupted


def test_nothing_is_measured_before_the_march_begins():
    now = begin({"side": Counter()})
    assert now.done == 0 and now.measured("side") == {}


@pytest.mark.parametrize(
    ("size", "count", "capacity", "seconds", "then"),
    [(8, 8, 4096, 0.01, 32), (8, 8, 16, 0.01, 16), (8, 8, 4096, 0.5, 8), (8, 8, 4096, 3.0, 4), (1, 1, 4096, 9.0, 1)],
)
def test_blocks_grow_to_about_a_second_and_shrink_above_two(size, count, capacity, seconds, then):
    assert loop._next_size(size, count, capacity, seconds) == then


def test_works_that_are_done_at_once_meet_and_the_error_of_one_is_raised():
    meeting = threading.Barrier(2, timeout=60)

    def met():
        return meeting.wait() >= 0

    assert at_once({"one": met, "other": met}, workers=2) == {"one": True, "other": True}
    with pytest.raises(ZeroDivisionError):
        at_once({"one": lambda: 1, "other": lambda: 1 // 0}, workers=2)
