"""Solve a flow over a number of steps of its method and measure it along the way."""

import jax
import jax.numpy as jnp
import numpy as np

from discrete import Cost, Trajectory
from discrete.running.march import Marched, Progress, march, shown, traced
from discrete.running.run import DIVERGENCE_RADIUS, check_steps, divergence_distance, measuring_products
from landscapes import Loss, Observables, Params, check_observables, check_start

from ..flow import Flow
from .diagnosis import status
from .integrator import Integrator, default_for, evaluations
from .ode import ALIVE, FlowCarry, FlowSide
from .stepped import SteppedFlow, SteppedSide, stopped

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
    progress: Progress | None = None,
) -> Trajectory:
    """Solve a flow over the time of `steps` steps of its method; samples at steps 0, every, 2 every, ..., steps.

    integrator: `flows.explicit()` (the default; looser below float64), `flows.stiff()`, or an `Integrator` of
    any diffrax solver and controller.  progress: called as progress(steps done, steps) about once a second.
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
    integrator: Integrator | None = None,
    keep_params: bool = False,
    divergence_radius: float = DIVERGENCE_RADIUS,
) -> FlowSide:
    """The flow as a side of a run, everything checked."""
    check_steps(steps, every)
    check_start(loss, params)
    observe = dict(observe or {})
    check_observables(observe)
    params = jax.tree.map(jnp.asarray, params)
    return (SteppedSide if isinstance(flow, SteppedFlow) else FlowSide)(
        traced(flow),
        loss,
        params,
        observe,
        jnp.asarray(every),
        divergence_distance(params, divergence_radius),
        traced(default_for(params) if integrator is None else integrator),
        keep_params,
    )


def flow_trajectory(side: FlowSide, marched: Marched, every: int, name: str = FLOW) -> Trajectory:
    """The record of a flow from how far it has come."""
    carry, measured = marched.carries[name], marched.measured(name)
    steps = np.arange(marched.samples[name]) * every
    observations = dict(measured.get("observations", {}))
    ended = "completed"
    if int(carry.failure) != ALIVE:
        ended = stopped(side.flow, carry) if isinstance(side.flow, SteppedFlow) else status(side, carry)
    elif marched.interrupted:
        ended = f"stopped: interrupted after step {int(carry.step)}"
    times = steps * float(side.flow.time_per_step)
    params = side.flow.params(carry.state)
    return Trajectory(
        steps,
        times,
        observations,
        params,
        ended,
        flow_cost(side, carry, marched.seconds[name], observations),
        measured.get("params"),
        carry.state,
        dict(measured.get("predictions", {})),
    )


def flow_cost(side: FlowSide, carry: FlowCarry, seconds: float, observations: dict[str, np.ndarray]) -> Cost:
    """Work of a flow: what it counted itself, or evaluations of its field times what one of them costs."""
    products = measuring_products(observations)
    if isinstance(side.flow, SteppedFlow):
        spent = side.flow.spent(carry.state)
        return Cost(int(spent.gradients), int(spent.hessian_products), products, seconds=seconds)
    solver_steps = int(carry.solver_steps)
    calls = evaluations(side.integrator, solver_steps)
    field = side.flow.field_cost
    return Cost(
        gradients=None if calls is None else calls * field.gradients,
        hessian_products=None if calls is None else calls * field.hessian_products,
        measuring_products=products,
        solver_steps=solver_steps,
        seconds=seconds,
    )
