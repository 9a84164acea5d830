"""The slow memory of a method in continuous time; methods that have none are remembered by None."""

from typing import Any

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from discrete import Method
from discrete.running.step import Oracle, take_step
from landscapes import Loss, Params

from ..flow import Start


def check_memory(flow: str, method: Method) -> None:
    """ValueError, naming the flow, if the memory of the method is no average."""
    memory = method.memory()
    if memory is not None and not memory.decay > 0:
        raise ValueError(
            f"`beta2` must exceed 0 for {flow} of {type(method).__name__}, got {memory.decay}: without an average nu "
            "has no motion of its own; EdgeFlow needs none."
        )


def remembered(method: Method, loss: Loss, start: Start) -> Any:
    """The memory of a method that starts there."""
    memory = method.memory()
    if memory is None:
        return None
    state = method.init(start.params) if start.state is None else start.state
    return memory.of(take_step(method, Oracle(loss, start.step, start.key, method.sampling), start.params, state)[1])


def preconditioner(method: Method, params: Params, memory: Any) -> Any:
    """P of the step that leaves the params, whose memory this is; 1.0 for a method without."""
    told = method.memory()
    return 1.0 if told is None else told.preconditioner(params, memory)


def flat_preconditioner(method: Method, params: Params, memory: Any) -> Float[Array, " n"]:
    """P on flattened params."""
    flat, _ = ravel_pytree(params)
    if method.memory() is None:
        return jnp.ones_like(flat)
    scale = jax.tree.broadcast(preconditioner(method, params, memory), params)
    return ravel_pytree(jax.tree.map(jnp.broadcast_to, scale, jax.tree.map(jnp.shape, params)))[0]


def memory_drift(method: Method, memory: Any, gradient: Params) -> Any:
    """The motion of the memory in a step along a gradient that does not oscillate."""
    told = method.memory()
    return None if told is None else told.drift(memory, gradient)


def memory_push(method: Method, memory: Any, a: Params, b: Params) -> Any:
    """What an oscillation of the gradient with the covariance (a b' + b a')/2 adds to it."""
    told = method.memory()
    return None if told is None else told.push(memory, a, b)
