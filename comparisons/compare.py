"""Run a method and the flows that claim to describe it, in lockstep, from the same point on the same loss."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from discrete import Members, Method, Status, Trajectory
from discrete.catalogue import description
from discrete.running.ensemble import Ensemble, common_status
from discrete.running.march import Marched, Progress, Side, begin, handed, march, shown
from discrete.running.run import DIVERGENCE_RADIUS, check_steps, descent_side, descent_trajectory
from discrete.running.status import method_ended
from flows import Flow, Integrator, ODEFlow
from flows.running.radius import beyond_radius
from flows.running.slow_manifold import slow_manifold_state
from flows.running.solve import Models, flow_side, flow_trajectory, flows_of
from landscapes import Loss, LossValue, Observables, Params, Problem, check_observables, check_start

from .comparison import Comparison
from .divergence.path import divergence_of, separation_of
from .divergence.sides import REFERENCE, Follower, Leader
from .findings import EFFECTIVE
from .storage.dataset import check_names
from .storage.fingerprint import same_content
from .storage.identity import LAYOUT, identity, probed
from .storage.provenance import provenance
from .storage.record import Record

LEADER = "discrete"
Start = Literal["rest", "slow-manifold"]


def compare(
    method: Method | None,
    flows: Mapping[str, Models],
    loss: Loss | Problem,
    params: Params | None = None,
    *,
    steps: int,
    observe: Observables | None = None,
    every: int = 1,
    start: Start = "rest",
    state: Any = None,
    predict: Any = None,
    integrator: Integrator | None = None,
    keep_params: bool = False,
    divergence_radius: float = DIVERGENCE_RADIUS,
    key: Any = 0,
    members: Members | None = None,
    progress: Progress | None = None,
    folder: str | Path | None = None,
    resume: bool = False,
) -> Comparison:
    """Compare a method with its flows at steps 0, every, 2 every, ..., steps.

    loss: a loss, with `params` to start from, or a Problem, which brings its own start and predictions.
    flows: name -> flow of this method.  observe: instruments, the same for all sides; `loss` is always among them.
    start: of a momentum method, "rest" (velocity 0) or "slow-manifold" (no transient, as the flow of highest order
    knows it).  state: the method's state to start from instead.
    predict: params -> outputs (examples, outputs), for the distance in function space.
    key: what is drawn along the run follows from it, a whole number or a key of JAX; nothing is drawn by most methods.
    members: an ensemble, each member as it would be alone: with other starts, hyper-parameters or keys; see
    `discrete.run`, and `flows.solve` for what `flows` are where members have methods of their own.
    folder: where finished blocks go while the run is on; resume: continue such a run, to the same numbers.
    Ctrl-C ends the run: the comparison then holds what was finished and its status says so; before the first block is
    finished there is nothing to hold, and the KeyboardInterrupt goes on.

    All sides advance together and distances are taken on the way: parameters of past samples are not kept unless
    keep_params. Raises ValueError on misuse. A method that diverges ends the comparison, with a status; a flow that
    fails is left behind with a status of its own.
    """
    problem, loss, params, predict = unpacked(loss, params, predict, members)
    if members is not None:
        method = members.method(method)
    elif method is None:
        raise ValueError("`method` may be None only where `members` bring methods.")
    check_observables({} if observe is None else observe)
    observe = {"loss": LossValue(loss), **(observe or {})}
    check_steps(steps, every)
    if members is None:
        check_start(loss, params)
    check_names(observe, members=members is not None)
    models = _checked_flows(method, flows, members)
    _check_predictions(predict, params)
    if resume and folder is None:
        raise ValueError("`resume` needs the `folder` of the run to continue.")
    if state is not None and start != "rest":
        raise ValueError(f"`state` and `start={start!r}` exclude each other; give one of them.")
    if state is None:
        state = _starting_states(start, models, loss, params, integrator, members)
    steps, every = int(steps), int(every)
    shared: dict[str, Any] = {
        "steps": steps,
        "every": every,
        "observe": observe,
        "divergence_radius": divergence_radius,
        "keep_params": keep_params,
        "key": key,
        "members": members,
    }
    leader = descent_side(method, loss, params, state=state, **shared)
    own = None if state is None else method.observed_state(state)
    followers = {
        name: flow_side(flow, loss, params, state=own, integrator=integrator, **shared) for name, flow in flows.items()
    }
    sides: dict[str, Side] = {LEADER: _wrapped(leader, Leader)}
    sides |= {name: _wrapped(side, lambda one: Follower(one, predict)) for name, side in followers.items()}
    record, so_far = None, begin(sides)
    if folder is not None:
        setting = _configuration(problem, method, models, _first(leader), predict, steps, every, integrator)
        if members is not None:
            setting["members"] = identity((members, state))
        record = Record(folder, setting, resume=resume)
        if resume:
            so_far = record.read(so_far, _part_shapes(sides, so_far))
    show = shown(progress, every, steps)

    def after_block(marched: Marched) -> None:
        if record:
            record.write(marched)
        show(marched)

    samples = steps // every + 1
    marched = march(sides, samples, so_far=so_far, kept_for_followers=(REFERENCE,), after_block=after_block)
    if not marched.done:
        raise KeyboardInterrupt
    discrete = descent_trajectory(leader, marched, every, LEADER)
    trajectories = {name: flow_trajectory(side, marched, every, name) for name, side in followers.items()}
    trajectories = {name: _ended_with(flow, discrete) for name, flow in trajectories.items()}
    return Comparison(
        problem=problem,
        method=_described(method, members),
        discrete=discrete,
        flows=trajectories,
        divergence={
            name: divergence_of(discrete, flow, separation_of(marched, name)) for name, flow in trajectories.items()
        },
        orders={name: _order_in_rate(made[0]) for name, made in models.items()},
        threshold=_common_threshold(method, observe, members),
        provenance=provenance(),
        notes=_notes(models, discrete),
    )


def unpacked(
    loss: Loss | Problem, params: Params | None, predict: Any, members: Members | None = None
) -> tuple[str, Loss, Params, Any]:
    """Name, loss, start (of the first member) and predictions; ValueError for a loss without a start."""
    if members is not None and members.params is not None:
        params = members.start(loss.params if params is None and isinstance(loss, Problem) else params)
    if isinstance(loss, Problem):
        start = loss.params if params is None else params
        return loss.name, loss.loss, start, loss.predict if predict is None else predict
    if params is None:
        raise ValueError("`params` is missing: pass the point to start from, or a Problem instead of a loss.")
    return getattr(loss, "__name__", type(loss).__name__), loss, params, predict


def _checked_flows(method: Method, flows: Mapping[str, Models], members: Members | None) -> dict[str, list[Flow]]:
    """The flows of each name: one, or one for each method of the members."""
    if not isinstance(flows, Mapping):
        raise ValueError(f"`flows` must be a mapping from names to flows, got {type(flows).__name__}.")
    methods = [method] if members is None or members.methods is None else members.methods
    found = {}
    for name, given in flows.items():
        if not isinstance(name, str) or not name or name == LEADER or "/" in name or ":" in name:
            raise ValueError(
                f"`flows` may not be named {name!r}; a name is a text other than {LEADER!r}, without '/' or ':'."
            )
        found[name] = flows_of(given, members, f"flows[{name!r}]")
        for flow, own in zip(found[name], methods, strict=True):
            if not same_content(flow.method, own.observed):
                raise ValueError(
                    f"`flows[{name!r}]` models {description(flow.method)}, not the method {description(own.observed)}"
                    f"{_though_alike(flow.method, own.observed)}; build it from the same method."
                )
    return found


def _though_alike(one: Method, other: Method) -> str:
    """What to say of methods whose descriptions do not tell them apart."""
    return ", or one that cannot be told from it" if description(one) == description(other) else ""


def _check_predictions(predict: Any, params: Params) -> None:
    if predict is None:
        return
    shape = getattr(jax.eval_shape(predict, params), "shape", ())
    if not shape:
        raise ValueError("`predict(params)` must be one array whose first axis is examples; stack the outputs.")


def starting_state(start: str, flows: Mapping[str, Flow], loss: Loss, params: Params, integrator: Any) -> Any:
    """The method's state at the start: None at rest, else the one on the slow manifold; ValueError if there is none."""
    if start == "rest":
        return None
    if start != "slow-manifold":
        raise ValueError(f"`start` must be 'rest' or 'slow-manifold', got {start!r}.")
    if not flows:
        raise ValueError("`start` 'slow-manifold' needs at least one of `flows`, which knows where the manifold is.")
    if refused := [name for name, flow in flows.items() if flow.expects_rest]:
        raise ValueError(f"`start` 'slow-manifold' contradicts {refused[0]!r}, whose start is for a method at rest.")
    knowing = [flow for flow in flows.values() if isinstance(flow, ODEFlow)]
    if not knowing:
        raise ValueError("`start` 'slow-manifold' needs one of `flows` with a vector field, such as ModifiedFlow.")
    best = max(knowing, key=lambda flow: flow.order or 0)
    return slow_manifold_state(best, loss, params, integrator)


def _starting_states(
    start: str, models: dict[str, list[Flow]], loss: Loss, params: Params, integrator: Any, members: Members | None
) -> Any:
    """That state, with one entry for each member in front where there are members."""

    def of(i: int, params: Params) -> Any:
        own = {name: made[i] if len(made) > 1 else made[0] for name, made in models.items()}
        return starting_state(start, own, loss, params, integrator)

    if members is None or start == "rest":
        return of(0, params)
    starts = [params] * members.count
    if members.params is not None:
        starts = [jax.tree.map(lambda leaf, i=i: leaf[i], members.params) for i in range(members.count)]
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *(of(i, one) for i, one in enumerate(starts)))


def _wrapped(side: Any, wrap: Callable[[Any], Side]) -> Side:
    """A side inside another; an ensemble stays one."""
    return side.inside(wrap) if isinstance(side, Ensemble) else wrap(side)


def _first(side: Any) -> Any:
    return side.member(0) if isinstance(side, Ensemble) else side


def _described(method: Method, members: Members | None) -> dict[str, Any]:
    """Name and hyper-parameters; of members that differ in one, a list."""
    many = [description(one) for one in (members.methods if members else None) or [method]]
    return {
        key: value if all(one[key] == value for one in many) else [one[key] for one in many]
        for key, value in many[0].items()
    }


def _common_threshold(method: Method, observe: Observables, members: Members | None) -> float | None:
    """The threshold, None where members have different ones."""
    found = {_threshold(one, observe) for one in (members.methods if members else None) or [method]}
    limit = found.pop()
    return None if found or limit is None else float(limit)


def _order_in_rate(flow: Flow) -> int | float | None:
    """The power of h that a flow claims: half its order for a clock that goes like sqrt(h)."""
    return flow.order if flow.order is None or flow.clock_exponent == 1 else flow.order * flow.clock_exponent


def _threshold(method: Method, observe: Observables) -> float | None:
    """Of the effective sharpness where that is observed, else of the sharpness."""
    if method.learning_rate is not None and not method.has_clock:
        return None
    return method.effective_threshold if EFFECTIVE in observe else method.stability_threshold()


def _notes(models: Mapping[str, Sequence[Flow]], method: Trajectory) -> dict[str, str]:
    """Of the flows whose series do not converge at the sharpness that the method had, where that was observed.

    Of an ensemble, what is told of the first member that it is about, and of how many it is.
    """
    sharpness = method.observations.get("sharpness", np.zeros(0))
    if not sharpness.size or not np.isfinite(sharpness).any():
        return {}
    count, found = method.members or 1, {}
    largest = np.fmax.reduce(sharpness.reshape(len(sharpness), count, -1), axis=(0, 2))
    for name, made in models.items():
        pairs = zip([*made] * (count // len(made)), largest, strict=True)
        told = [note for flow, value in pairs if (note := beyond_radius(flow, float(value))) is not None]
        if told:
            found[name] = told[0] if method.members is None else f"{len(told)} of {count} members: {told[0]}"
    return found


def _ended_with(flow: Trajectory, discrete: Trajectory) -> Trajectory:
    """A flow, or those members of it, that still went on when its method stopped, with the reason."""

    def ended(own: Status, other: Status) -> Status:
        # A member whose method has failed was left where it then was, whatever became of the others.
        failed = other.kind not in ("completed", "interrupted")
        went_on = own.kind == "completed" or (own.kind == "interrupted" and failed)
        return method_ended(other) if went_on and other.kind != "completed" else own

    if flow.member_statuses is None or discrete.member_statuses is None:
        return dataclasses.replace(flow, status=ended(flow.status, discrete.status))
    pairs = zip(flow.member_statuses, discrete.member_statuses, strict=True)
    own = tuple(ended(one, other) for one, other in pairs)
    return dataclasses.replace(flow, status=common_status(own), member_statuses=own)


def _configuration(problem, method, models, leader, predict, steps, every, integrator) -> dict[str, Any]:
    """What a resumed run must repeat, as plain data."""
    params = leader.origin
    return {
        "layout": LAYOUT,
        "problem": problem,
        "method": description(method) | {"content": identity(method)},
        "flows": {name: identity(made[0] if len(made) == 1 else made) for name, made in models.items()},
        "steps": steps,
        "every": every,
        "start": identity((params, leader.state)),
        "loss and gradient at the start and beside it": probed(leader.loss, params),
        "observables": {name: identity(observable) for name, observable in leader.observe.items()},
        "predictions": None if predict is None else identity(predict),
        "parameters kept": leader.keep_params,
        "divergence radius": float(leader.radius),
        "integrator": identity(integrator),
        "key": identity(leader.key),
    }


def _part_shapes(sides: dict[str, Side], fresh: Marched) -> dict[str, Any]:
    """What a block holds of each side, as templates."""
    leader, *followers = sides
    shapes = {leader: jax.eval_shape(lambda c: sides[leader].measure(c, None)[0], fresh.carries[leader])}
    reference = handed(shapes[leader], (REFERENCE,))
    del shapes[leader][REFERENCE]
    for name in followers:
        side = sides[name]
        shapes[name] = jax.eval_shape(lambda c, r, side=side: side.measure(c, r)[0], fresh.carries[name], reference)
    return shapes
