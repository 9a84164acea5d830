"""Starting a momentum method where its transient is zero, so that orders can be measured."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax

from discrete.running.march import traced
from landscapes import Loss, Params

from ..flow import Start
from .failure import ALIVE
from .integrate import begun, integrate
from .integrator import Integrator, explicit, resolving
from .ode import SMALLEST_STEP, ODEFlow


def slow_manifold_state(flow: ODEFlow, loss: Loss, params: Params, integrator: Integrator | None = None) -> Any:
    """The state in which a method passes through `params` on its slow manifold, as the flow knows it.

    The flow is followed one step back, x_{-1} = X(-time_per_step), and the method's state is the one it has after going
    from x_{-1} to params: velocity x_0 - x_{-1} for heavy ball and Nesterov. From a flow of order p the velocity is off
    the manifold by O(h^(p+1)), so the distance to that flow keeps its order p from the first step on.
    Raises ValueError where the flow cannot be followed back that far, as for steps outside the asymptotic regime.
    """
    integrator = resolving(explicit, params) if integrator is None else integrator
    previous, reached = _one_step_back(traced(flow), loss, jax.tree.map(jnp.asarray, params), traced(integrator))
    if not reached:
        raise ValueError(
            f"`start` 'slow-manifold' does not exist here: {type(flow).__name__} cannot be followed one step of size "
            f"{float(flow.method.learning_rate):g} back from the start; take a smaller learning rate, or start at rest."
        )
    return flow.method.state_after(jax.grad(loss), previous, params)


@eqx.filter_jit
def _one_step_back(flow: ODEFlow, loss: Loss, params: Params, integrator: Integrator) -> tuple[Params, Any]:
    kind = jnp.result_type(*jax.tree.leaves(params))
    state, back = flow.init(loss, Start(params)), jnp.asarray(flow.time_per_step, kind)
    now = jnp.zeros_like(back)

    def field(ago, state):
        return jax.tree.map(jnp.negative, flow.vector_field(loss, -ago, state))

    reached = integrate(integrator, field, begun(integrator, field, now, back, state), back, SMALLEST_STEP * back)
    previous = flow.params(reached.state)
    return previous, jnp.isfinite(optax.tree.norm(previous)) & (reached.failure == ALIVE)
