"""Solve a flow over a number of steps of its method and measure it along the way."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from discrete import Status, Trajectory
from discrete.running.march import Marched, Progress, march, shown, traced
from discrete.running.measuring import measuring_cost, observations_of
from discrete.running.run import DIVERGENCE_RADIUS, as_key, check_state, check_steps, divergence_distance
from discrete.running.status import COMPLETED
from landscapes import Loss, Observables, Params, check_observables, check_start

from ..flow import Flow, Setting, Start
from .failure import ALIVE
from .flow_side import FlowSide
from .integrator import Integrator, default_for

FLOW = "flow"


def solve(
    flow: Flow,
    loss: Loss,
    params: Params,
    *,
    steps: int,
    observe: Observables | None = None,
    every: int = 1,
    integrator: Integrator | None = None,
    keep_params: bool = False,
    divergence_radius: float = DIVERGENCE_RADIUS,
    state: Any = None,
    key: Any = 0,
    progress: Progress | None = None,
) -> Trajectory:
    """Solve a flow over the time of `steps` steps of its method; samples at steps 0, every, 2 every, ..., steps.

    integrator: `flows.explicit()` (the default; looser below float64), `flows.stiff()`, or an `Integrator` of
    any diffrax solver and controller.  state: of the method at the start, None at rest, for flows that know its memory.
    key: what is drawn follows from it.  progress: called as progress(steps done, steps) about once a second.
    Raises ValueError on misuse. A solver failure is a result whose `status` says what it was: diverged, too stiff, step
    limit; everything sampled before it is kept. Divergence is looked for at the samples and where the solver gives up.
    """
    side = flow_side(
        flow,
        loss,
        params,
        steps=steps,
        observe=observe,
        every=every,
        integrator=integrator,
        keep_params=keep_params,
        divergence_radius=divergence_radius,
        state=state,
        key=key,
    )
    marched = march({FLOW: side}, steps // every + 1, after_block=shown(progress, every, steps))
    return flow_trajectory(side, marched, every)


def flow_side(
    flow: Flow,
    loss: Loss,
    params: Params,
    *,
    steps: int,
    observe: Observables | None,
    every: int,
    state: Any = None,
    key: Any = 0,
    integrator: Integrator | None = None,
    keep_params: bool = False,
    divergence_radius: float = DIVERGENCE_RADIUS,
) -> FlowSide:
    """The flow as a side of a run, everything checked. state: of the method the flow describes, None at rest."""
    check_steps(steps, every)
    check_start(loss, params)
    observe = dict(observe or {})
    check_observables(observe)
    params = jax.tree.map(jnp.asarray, params)
    if state is not None:
        rest = flow.method.init(params)
        check_state(flow.method, state, rest)
        state = jax.tree.map(lambda given, zero: jnp.asarray(given, jnp.result_type(zero)), state, rest)
    setting = Setting(
        observe,
        jnp.asarray(every),
        divergence_distance(params, divergence_radius),
        traced(default_for(params) if integrator is None else integrator),
        keep_params,
    )
    return traced(flow).side(loss, Start(params, state, jnp.asarray(0), as_key(key)), setting)


def flow_trajectory(side: FlowSide, marched: Marched, every: int, name: str = FLOW) -> Trajectory:
    """The record of a flow from how far it has come."""
    carry, measured = marched.carries[name], marched.measured(name)
    steps = np.arange(marched.samples[name]) * every
    observations, columns = observations_of(measured)
    ended = COMPLETED
    if int(carry.failure) != ALIVE:
        ended = side.status(carry)
    elif marched.interrupted:
        ended = Status("interrupted", int(carry.step))
    cost = side.cost(carry)._replace(seconds=marched.seconds[name], **measuring_cost(measured))
    return Trajectory(
        steps,
        steps * float(side.flow.time_per_step),
        observations,
        side.flow.params(carry.state),
        ended,
        cost,
        measured.get("params"),
        carry.state,
        dict(measured.get("predictions", {})),
        columns,
    )
