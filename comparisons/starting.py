"""The state in which the method of a comparison starts: at rest, or on its slow manifold."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from discrete import Members, Method
from flows import Flow, ODEFlow
from flows.running.slow_manifold import slow_manifold_state
from landscapes import Loss, Params

from .accuracy import Accuracy


def starting_state(
    start: str, method: Method, flows: Mapping[str, Flow], loss: Loss, params: Params, integrator: Any
) -> Any:
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
    # An accuracy is relative to a distance, and there is none yet.
    known = None if isinstance(integrator, Accuracy) else integrator
    return method.from_state(params, slow_manifold_state(best, loss, params, known))


def starting_states(
    start: str,
    method: Method,
    models: dict[str, list[Flow]],
    loss: Loss,
    params: Params,
    integrator: Any,
    members: Members | None,
) -> Any:
    """That state, with one entry for each member in front where there are members."""

    def of(i: int, params: Params) -> Any:
        own = {name: made[i] if len(made) > 1 else made[0] for name, made in models.items()}
        view = method if members is None or members.methods is None else members.methods[i]
        return starting_state(start, view, own, loss, params, integrator)

    if members is None or start == "rest":
        return of(0, params)
    starts = [params] * members.count
    if members.params is not None:
        starts = [jax.tree.map(lambda leaf, i=i: leaf[i], members.params) for i in range(members.count)]
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *(of(i, one) for i, one in enumerate(starts)))
