"""The flows of a comparison: that each is a model of its method, and what it claims."""

from collections.abc import Mapping, Sequence

import numpy as np

from discrete import Members, Method, Trajectory
from discrete.catalogue import description
from discrete.running.run import METHOD
from flows import Flow
from flows.running.radius import beyond_radius
from flows.running.solve import Models, flows_of

from .storage.fingerprint import same_content


def checked_flows(method: Method, flows: Mapping[str, Models], members: Members | None) -> dict[str, list[Flow]]:
    """The flows of each name: one, or one for each method of the members."""
    if not isinstance(flows, Mapping):
        raise ValueError(f"`flows` must be a mapping from names to flows, got {type(flows).__name__}.")
    methods = [method] if members is None or members.methods is None else members.methods
    found = {}
    for name, given in flows.items():
        if not isinstance(name, str) or not name or name == METHOD or "/" in name or ":" in name:
            raise ValueError(
                f"`flows` may not be named {name!r}; a name is a text other than {METHOD!r}, without '/' or ':'."
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


def order_in_rate(flow: Flow) -> int | float | None:
    """The power of h that a flow claims of a path: half its order for a clock that goes like sqrt(h)."""
    power, sense = flow.claim
    if sense != "path" or power is None:
        return None
    return power if flow.clock_exponent == 1 else power * flow.clock_exponent


def notes_on(
    models: Mapping[str, Sequence[Flow]], method: Trajectory, flows: Mapping[str, Trajectory]
) -> dict[str, str]:
    """What to know before a flow is trusted: that its series do not converge where the method was, or why it diverged.

    The former where the sharpness of the method was observed. Of an ensemble, what is told of the first member that it
    is about, and of how many it is.
    """
    reasons = {name: flow.status.reason for name, flow in flows.items() if flow.status.kind == "diverged"}
    return {name: reason for name, reason in reasons.items() if reason} | _outside(models, method)


def _outside(models: Mapping[str, Sequence[Flow]], method: Trajectory) -> dict[str, str]:
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
