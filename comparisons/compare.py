"""Run a method and the flows that claim to describe it, in lockstep, from the same point on the same loss."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import jax

from discrete import Members, Method
from discrete.catalogue import description
from discrete.running.divergence_radius import DIVERGENCE_RADIUS
from discrete.running.ensemble import Ensemble
from discrete.running.march import Marched, Progress, Side, begin, handed, march, shown
from discrete.running.run import METHOD, check_steps, descent_side, descent_trajectory
from flows import Integrator
from flows.running.solve import Models, flow_side, flow_trajectory
from landscapes import (
    Loss,
    LossValue,
    Observable,
    Observables,
    Params,
    Problem,
    check_observables,
    check_start,
    flattened,
)
from landscapes.instruments.reading import reading_of

from .accuracy import Accuracy
from .comparison import Comparison
from .divergence.path import divergence_of, separation_of
from .divergence.sides import REFERENCE, Follower, Leader, tracked_sharpness
from .ending import ended_with
from .findings import EFFECTIVE
from .models import checked_flows, notes_on, order_in_rate
from .starting import starting_states
from .storage.configuration import configuration
from .storage.dataset import check_names
from .storage.fingerprint import same_content
from .storage.identity import identity
from .storage.provenance import provenance
from .storage.record import Record

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
    integrator: Integrator | Accuracy | None = None,
    keep_params: bool = False,
    divergence_radius: float = DIVERGENCE_RADIUS,
    key: Any = 0,
    members: Members | None = None,
    workers: int = 1,
    progress: Progress | None = None,
    folder: str | Path | None = None,
    resume: bool = False,
) -> Comparison:
    """Compare a method with its flows at steps 0, every, 2 every, ..., steps.

    loss: a loss, with `params` to start from, or a Problem, which brings its own start and predictions. One that holds
        its data as a pytree, as `DataLoss` does, may be replaced by another of the same shapes without compiling again;
        another closure compiles every program that holds the loss.
    flows: name -> flow of this method.  observe: instruments, the same for all sides; `loss` is always among them.
    start: of a momentum method, "rest" (velocity 0) or "slow-manifold" (no transient, as the flow of highest order
    knows it).  state: the method's state to start from instead.
    predict: params -> outputs (examples, outputs), for the distance in function space.
    integrator: of the flows with a vector field; `Accuracy(0.01)` for one as accurate as the distances need. None is
    `flows.explicit()`, at 1e-9.
    key: what is drawn along the run follows from it, a whole number or a key of JAX; nothing is drawn by most methods.
    members: an ensemble, each member as it would be alone: with other starts, hyper-parameters or keys; see
    `discrete.run`, and `flows.solve` for what `flows` are where members have methods of their own.
    workers: how many sides move at once, to the same numbers, each in a thread of its own, which settings of JAX as
        contexts do not reach. It pays where one side leaves processors idle, as a small network does.
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
    observe = _with_the_loss(observe or {}, loss)
    check_steps(steps, every)
    if not isinstance(workers, int) or workers < 1:
        raise ValueError(f"`workers` must be a whole number from 1, got {workers!r}; 1 moves one side after another.")
    if members is None:
        check_start(loss, params)
    check_names(_measured_names(observe, params), members=members is not None)
    models = checked_flows(method, flows, members)
    _check_predictions(predict, params)
    if resume and folder is None:
        raise ValueError("`resume` needs the `folder` of the run to continue.")
    if state is not None and start != "rest":
        raise ValueError(f"`state` and `start={start!r}` exclude each other; give one of them.")
    if state is None:
        state = starting_states(start, method, models, loss, params, integrator, members)
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
        name: flow_side(
            flow,
            loss,
            params,
            state=own,
            integrator=integrator.first_integrator(models[name], params)
            if isinstance(integrator, Accuracy)
            else integrator,
            **shared,
        )
        for name, flow in flows.items()
    }
    tracked = tracked_sharpness(observe, loss)
    sides: dict[str, Side] = {METHOD: _wrapped(leader, lambda one: Leader(one, tracked))}
    sides |= {name: _wrapped(side, lambda one: Follower(one, predict)) for name, side in followers.items()}
    samples, errors, inexact = steps // every + 1, {}, {}
    if isinstance(integrator, Accuracy):
        sides, errors, inexact = integrator.fitted(sides, models, samples, workers)
    record, so_far = None, begin(sides, workers)
    if folder is not None:
        setting = configuration(problem, method, models, _first(leader), predict, steps, every, integrator)
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

    kept = (REFERENCE,)
    marched = march(sides, samples, so_far=so_far, kept_for_followers=kept, after_block=after_block, workers=workers)
    if not marched.done:
        raise KeyboardInterrupt
    discrete = descent_trajectory(leader, marched, every, METHOD)
    trajectories = {name: flow_trajectory(side, marched, every, name) for name, side in followers.items()}
    trajectories = {name: ended_with(flow, discrete) for name, flow in trajectories.items()}
    return Comparison(
        problem=problem,
        method=_described(method, members),
        discrete=discrete,
        flows=trajectories,
        divergence={
            name: divergence_of(discrete, flow, separation_of(marched, name)) for name, flow in trajectories.items()
        },
        orders={name: order_in_rate(made[0]) for name, made in models.items()},
        threshold=_common_threshold(method, observe, members),
        provenance=provenance(),
        notes=_joined(inexact, notes_on(models, discrete, trajectories)),
        solver_errors=errors,
    )


def unpacked(
    loss: Loss | Problem, params: Params | None, predict: Any, members: Members | None = None
) -> tuple[str, Loss, Params, Any]:
    """Name, loss, start (of the first member) and predictions; ValueError for a loss without a start."""
    if members is not None and members.params is not None:
        params = members.first_params(loss.params if params is None and isinstance(loss, Problem) else params)
    if isinstance(loss, Problem):
        start = loss.params if params is None else params
        return loss.name, loss.loss, start, loss.predict if predict is None else predict
    if params is None:
        raise ValueError("`params` is missing: pass the point to start from, or a Problem instead of a loss.")
    return getattr(loss, "__name__", type(loss).__name__), loss, params, predict


def _joined(*notes: dict[str, str]) -> dict[str, str]:
    """All notes on each flow."""
    names = dict.fromkeys(name for some in notes for name in some)
    return {name: "; ".join(some[name] for some in notes if name in some) for name in names}


def _with_the_loss(observe: Observables, loss: Loss) -> Observables:
    """What is observed, the loss of the run first; ValueError where another one has its name."""
    given = observe.get("loss", loss)
    if not same_content(given.loss if isinstance(given, LossValue) else given, loss):
        raise ValueError("`observe['loss']` is another loss than that of the run, which has this name; rename it.")
    measured = {"loss": LossValue(loss)}
    return measured | dict(observe) | measured


def _measured_names(observe: Observables, params: Params) -> list[str]:
    """The names of the instruments, and those under which the answers of plain functions are stored."""
    functions = {name: one for name, one in observe.items() if not isinstance(one, Observable)}
    shapes = {
        name: jax.eval_shape(lambda p, one=one: flattened({"": reading_of(one(p))}), params)
        for name, one in functions.items()
    }
    return [*observe, *(name + part for name, found in shapes.items() for part in found)]


def _check_predictions(predict: Any, params: Params) -> None:
    if predict is None:
        return
    shape = getattr(jax.eval_shape(predict, params), "shape", ())
    if not shape:
        raise ValueError("`predict(params)` must be one array whose first axis is examples; stack the outputs.")


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
    return found.pop() if len(found) == 1 else None


def _threshold(method: Method, observe: Observables) -> float | None:
    """Of the effective sharpness where that is observed, else of the sharpness."""
    if method.learning_rate is not None and not method.has_clock:
        return None
    limit = method.effective_threshold if EFFECTIVE in observe else method.stability_threshold()
    return None if limit is None else float(limit)


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
