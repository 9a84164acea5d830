"""What the configuration of a run on disk says, and a resumed run must repeat."""

from typing import Any

from discrete.catalogue import description

from .identity import LAYOUT, identity, probed


def configuration(problem, method, models, leader, predict, steps, every, integrator) -> dict[str, Any]:
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
