"""Run a method on a loss and measure it along the way."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from landscapes import Loss, Observables, Params, check_observables, check_start
from landscapes.memory import check_memory

from ..method import Method
from ..schedule import is_schedule
from .divergence_radius import DIVERGENCE_RADIUS, divergence_distance
from .ensemble import Ensemble, ensemble_trajectory
from .key import as_key as as_key
from .march import Marched, Progress, march, shown, traced
from .measuring import measuring_cost, observations_of
from .members import Members
from .side import ALIVE, DescentSide
from .status import COMPLETED, Status
from .trajectory import Cost, Trajectory

METHOD = "discrete"


def run(
    method: Method | None,
    loss: Loss,
    params: Params | None = None,
    *,
    steps: int,
    observe: Observables | None = None,
    every: int = 1,
    state: Any = None,
    keep_params: bool = False,
    divergence_radius: float = DIVERGENCE_RADIUS,
    key: Any = 0,
    members: Members | None = None,
    progress: Progress | None = None,
) -> Trajectory:
    """Run `steps` steps of a method and measure `observe` at steps 0, every, 2 every, ..., steps.

    state: the method's state to start from, e.g. the `final_state` of an earlier run; None starts it at rest. Steps are
    counted from 0 in any case, for schedules and for what is drawn.
    keep_params: also return the params of every sample.
    divergence_radius: the run has diverged once it is farther than this from its start, relative to max(1, |params|).
    key: what is drawn along the run follows from it, a whole number or a key of JAX; nothing is drawn by most methods.
    members: many runs in one, each as it would be alone, with starts, hyper-parameters or keys of their own; `method`
    or `params` may be None where they bring theirs, and `state` has an axis of members in front.
    progress: called as progress(steps done, steps) about once a second. Ctrl-C ends the run and returns what it has.
    Raises ValueError on misuse; a run that diverges is a result whose `status` says at which step.
    """
    side = descent_side(
        method,
        loss,
        params,
        steps=steps,
        observe=observe,
        every=every,
        state=state,
        keep_params=keep_params,
        divergence_radius=divergence_radius,
        key=key,
        members=members,
    )
    marched = march({METHOD: side}, steps // every + 1, after_block=shown(progress, every, steps))
    return descent_trajectory(side, marched, every)


def descent_side(
    method: Method | None,
    loss: Loss,
    params: Params | None,
    *,
    steps: int,
    observe: Observables | None,
    every: int,
    state: Any = None,
    divergence_radius: float = DIVERGENCE_RADIUS,
    key: Any = 0,
    keep_params: bool = False,
    members: Members | None = None,
) -> DescentSide | Ensemble:
    """The method as a side of a run, or the ensemble of such sides, everything checked."""
    check_steps(steps, every)
    observe = dict(observe or {})
    check_observables(observe)

    def side(method: Method, params: Params, state: Any, key: Any) -> DescentSide:
        method, params = traced(method), jax.tree.map(jnp.asarray, params)
        rest = method.init(params)
        if state is not None:
            check_state(method, state, rest)
        return DescentSide(
            method,
            loss,
            params,
            jax.tree.map(jnp.asarray, rest if state is None else state),
            observe,
            jnp.asarray(every),
            divergence_distance(params, divergence_radius),
            as_key(key),
            keep_params,
        )

    if members is not None:
        method, params = members.method(method), members.first_params(params)
        members.check_starts(loss, params)
        return members.ensemble(side, method=method, params=params, state=state, key=key)
    if method is None or params is None:
        raise ValueError("`method` and `params` may be None only where `members` bring them.")
    check_start(loss, params)
    return side(method, params, state, key)


def check_state(method: Method, state: Any, rest: Any) -> None:
    """ValueError unless the state has the structure and shapes of the method's own at rest."""

    def shapes(tree):
        return jax.tree.structure(tree), [jnp.shape(leaf) for leaf in jax.tree.leaves(tree)]

    if shapes(state) != shapes(rest):
        raise ValueError(
            f"`state` must have the structure and shapes of {type(method).__name__}.init(params), "
            f"{jax.tree.map(jnp.shape, rest)}, got {jax.tree.map(jnp.shape, state)}; pass the `final_state` of a run."
        )


def check_countable(name: str, value: int) -> None:
    """ValueError where the named number is beyond the integers of the default precision (64 bits, 32 in float32)."""
    most = jnp.iinfo(jnp.result_type(int)).max
    if value > most:
        raise ValueError(f"`{name}` must be at most {most}, the largest number that is counted in, got {value}.")


def check_steps(steps: int, every: int) -> None:
    """ValueError unless steps is a positive multiple of every."""
    if not isinstance(steps, int | np.integer) or steps < 1:
        raise ValueError(f"`steps` must be a positive whole number, got {steps!r}.")
    check_countable("steps", steps)
    if not isinstance(every, int | np.integer) or not 1 <= every <= steps:
        raise ValueError(f"`every` must be a whole number between 1 and `steps` = {steps}, got {every!r}.")
    if steps % every:
        near = steps // every * every
        raise ValueError(f"`every` = {every} must divide `steps` = {steps}; take {near} steps or another `every`.")
    # A sample is its step, its time and at least one measurement.
    check_memory(steps // every, times=3, steps=steps, every=every)


def descent_trajectory(side: DescentSide | Ensemble, marched: Marched, every: int, name: str = METHOD) -> Trajectory:
    """The record of a method's run from how far it has come."""
    if isinstance(side, Ensemble):
        return ensemble_trajectory(side, marched, name, lambda one, alone: descent_trajectory(one, alone, every, name))
    carry, measured = marched.carries[name], marched.measured(name)
    steps = np.arange(marched.samples[name]) * every
    observations, columns = observations_of(measured)
    diverged_at = int(carry.diverged_at)
    taken = int(carry.step) if diverged_at == ALIVE else diverged_at
    if diverged_at != ALIVE:
        status = Status("diverged", diverged_at)
    else:
        status = Status("interrupted", taken) if marched.interrupted else COMPLETED
    cost = Cost(
        gradients=taken * side.method.gradients_per_step,
        seconds=marched.seconds[name],
        **measuring_cost(measured),
    )
    return Trajectory(
        steps,
        method_times(side.method, steps),
        observations,
        carry.params,
        status,
        cost,
        measured.get("params"),
        carry.state,
        columns=columns,
    )


def method_times(method: Method, steps: np.ndarray) -> np.ndarray:
    """n h, or the running sum of a scheduled h; step numbers where no one learning rate is known."""
    rate = method.learning_rate
    if not method.has_clock:
        return steps.astype(float)
    if not is_schedule(rate):
        return steps * float(rate)
    rates = np.asarray(jax.vmap(rate)(jnp.arange(int(steps[-1]) if len(steps) else 0)), dtype=float)
    return np.concatenate([[0.0], np.cumsum(rates)])[steps]
