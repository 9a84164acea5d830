"""Solve a flow over a number of steps of its method and measure it along the way."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from discrete import Members, Method, Status, Trajectory
from discrete.running.divergence_radius import DIVERGENCE_RADIUS, divergence_distance
from discrete.running.ensemble import Ensemble, ensemble_trajectory
from discrete.running.march import Marched, Progress, march, shown, traced
from discrete.running.measuring import measuring_cost, observations_of
from discrete.running.members import stacked
from discrete.running.run import as_key, check_state, check_steps
from discrete.running.status import COMPLETED
from landscapes import Loss, Observables, Params, check_observables, check_start
from landscapes.precision import at_least_single

from ..flow import Flow, Setting, Start
from .failure import ALIVE
from .flow_side import FlowSide
from .integrator import Integrator, explicit, resolving

FLOW = "flow"
# One for all members of an ensemble, one for each of them, or what makes one of a method.
Models = Flow | Sequence[Flow] | Callable[[Method], Flow]


def solve(
    flow: Models,
    loss: Loss,
    params: Params | None = None,
    *,
    steps: int,
    observe: Observables | None = None,
    every: int = 1,
    integrator: Integrator | None = None,
    keep_params: bool = False,
    divergence_radius: float = DIVERGENCE_RADIUS,
    state: Any = None,
    key: Any = 0,
    members: Members | None = None,
    progress: Progress | None = None,
) -> Trajectory:
    """Solve a flow over the time of `steps` steps of its method; samples at steps 0, every, 2 every, ..., steps.

    integrator: `flows.explicit()` (the default; looser below float64), `flows.stabilized()`, `flows.stiff()`, or an
    `Integrator` of any diffrax solver and controller.  state: of the method at the start, None at rest, for flows that
    know its memory.
    members: many solves in one, see `discrete.run`. Where they have methods of their own, `flow` makes one of each, as
    flows.GradientFlow does, or lambda method: flows.ModifiedFlow(method, order=2), or is a sequence of one for each.
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
        members=members,
    )
    marched = march({FLOW: side}, steps // every + 1, after_block=shown(progress, every, steps))
    return flow_trajectory(side, marched, every)


def flow_side(
    flow: Models,
    loss: Loss,
    params: Params | None,
    *,
    steps: int,
    observe: Observables | None,
    every: int,
    state: Any = None,
    key: Any = 0,
    integrator: Integrator | None = None,
    keep_params: bool = False,
    divergence_radius: float = DIVERGENCE_RADIUS,
    members: Members | None = None,
) -> FlowSide | Ensemble:
    """The flow as a side of a run, or the ensemble of such sides, everything checked.

    state: of the method the flow describes, None at rest.
    """
    check_steps(steps, every)
    observe = dict(observe or {})
    check_observables(observe)
    if integrator is not None and not isinstance(integrator, Integrator):
        raise ValueError(
            f"`integrator` must be an Integrator, such as flows.explicit(), got {integrator!r}; an Accuracy, which "
            "needs a method to measure the distance from, is for comparisons.compare."
        )

    def side(flow: Flow, params: Params, state: Any, key: Any) -> FlowSide:
        # A flow is solved in one precision, float32 at least: differences of lower ones are no error of the flow.
        params = at_least_single(params)
        if state is not None:
            rest = flow.method.init(params)
            check_state(flow.method, state, rest)
            state = jax.tree.map(lambda given, zero: jnp.asarray(given, jnp.result_type(zero)), state, rest)
        setting = Setting(
            observe,
            jnp.asarray(every),
            divergence_distance(params, divergence_radius),
            traced(resolving(explicit, params) if integrator is None else integrator),
            keep_params,
        )
        return traced(flow).side(loss, Start(params, state, jnp.asarray(0), as_key(key)), setting)

    made = flows_of(flow, members, "flow")
    if members is not None:
        params = members.first_params(params)
        members.check_starts(loss, params)
        made[0].check_loss(loss, params)
        model: Any = stacked(made, "flow") if len(made) > 1 else made[0]
        return members.ensemble(side, flow=model, params=params, state=state, key=key)
    if params is None:
        raise ValueError("`params` is missing: pass the point to start from; only `members` may bring their own.")
    check_start(loss, params)
    made[0].check_loss(loss, params)
    return side(made[0], params, state, key)


def flows_of(flow: Models, members: Members | None, name: str) -> list[Flow]:
    """One flow for all, or one for each method of the members; ValueError where it is not so."""
    methods = None if members is None else members.methods
    if methods is None:
        if not isinstance(flow, Flow):
            raise ValueError(f"`{name}` must be a flow of the method, got {flow!r}.")
        return [flow]
    remedy = (
        "pass a function from a method to its flow, such as flows.GradientFlow, or a sequence of one for each member"
    )
    if isinstance(flow, Flow) or not (callable(flow) or isinstance(flow, Sequence)):
        raise ValueError(f"`{name}` must be built from each of the {len(methods)} methods, got {flow!r}; {remedy}.")
    made = list(flow) if isinstance(flow, Sequence) else [flow(method.observed) for method in methods]
    if len(made) != len(methods) or not all(isinstance(one, Flow) for one in made):
        raise ValueError(f"`{name}` must give {len(methods)} flows, one for each method, got {made!r}; {remedy}.")
    return made


def flow_trajectory(side: FlowSide | Ensemble, marched: Marched, every: int, name: str = FLOW) -> Trajectory:
    """The record of a flow from how far it has come."""
    if isinstance(side, Ensemble):
        return ensemble_trajectory(side, marched, name, lambda one, alone: flow_trajectory(one, alone, every, name))
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
