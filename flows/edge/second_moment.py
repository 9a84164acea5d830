"""The memory of RMSProp in continuous time; methods that have none are remembered by None."""

from typing import Any

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from discrete import Method
from discrete.running.step import Oracle, take_step
from landscapes import Loss, Params

from ..flow import Start

# nu_n = b nu_{n-1} + (1 - b) s(g_n), or nu_n - nu_{n-1} = (1 - b)/b (s(g_n) - nu_n), exactly: in the time of a step
#     nu' = (1 - b)/b (s(g) - nu),   decay' = -(1 - b)/b decay
# in one clock, so that nu/(1 - decay) is s(g) where that is constant, as for the method,
# where s is the method's square of a gradient. The memory is the method's state after the step that leaves the params.


def check_memory(flow: str, method: Method) -> None:
    """ValueError, naming the flow, if the memory of the method is no average."""
    if method.has_preconditioner and not getattr(method, "beta2", 0) > 0:
        raise ValueError(f"`beta2` must exceed 0 for {flow}: without an average nu has no motion of its own.")


def remembered(method: Method, loss: Loss, start: Start) -> Any:
    """The memory of a method that starts there."""
    if not method.has_preconditioner:
        return None
    state = method.init(start.params) if start.state is None else start.state
    return take_step(method, Oracle(loss, start.step, start.key, method.sampling), start.params, state)[1]


def flat_preconditioner(method: Method, params: Params, memory: Any) -> Float[Array, " n"]:
    """P on flattened params."""
    flat, _ = ravel_pytree(params)
    if not method.has_preconditioner:
        return jnp.ones_like(flat)
    scale = jax.tree.broadcast(method.preconditioner(params, memory), params)
    return ravel_pytree(jax.tree.map(jnp.broadcast_to, scale, jax.tree.map(jnp.shape, params)))[0]


def memory_drift(method: Any, memory: Any, gradient: Params) -> Any:
    """The motion of the memory in a step along a gradient that does not oscillate."""
    if memory is None:
        return None
    rate = (1 - method.beta2) / method.beta2
    nu = jax.tree.map(lambda square, nu: rate * (square - nu), method.squared(gradient), memory.nu)
    return memory._replace(nu=nu, decay=None if memory.decay is None else -rate * memory.decay)


def memory_push(method: Any, memory: Any, a: Params, b: Params) -> Any:
    """What an oscillation of the gradient with the covariance (a b' + b a')/2 adds to it."""
    if memory is None:
        return None
    rate = (1 - method.beta2) / method.beta2

    def squared(sign: float) -> Any:
        return method.squared(jax.tree.map(lambda x, y: x + sign * y, a, b))

    nu = jax.tree.map(lambda plus, minus: rate * (plus - minus) / 4, squared(1.0), squared(-1.0))
    return jax.tree.map(jnp.zeros_like, memory)._replace(nu=nu)
