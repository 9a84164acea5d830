"""Runs to the edge of stability that nobody ran: datasets as `edge_run` gives them, with what is asked for in them."""

import json

import numpy as np
import xarray

SAMPLES, DURATION = 121, 12.0


def staged(
    rate: float = 0.1,
    *,
    crosses: bool = True,
    flow: bool = True,
    plateau: float = 1.01,
    flow_end: float = 2.02,
    jump: float = 10.0,
    early: float = 0.0,
    bumps: float = 0.2,
    slope: float = 3.0,
    **attributes,
) -> xarray.Dataset:
    """One that crosses at a third of its time.

    plateau, flow_end: sharpness over threshold, from the crossing on, and of the flow at the end.  jump: of the
    distance, past 0.6 of the time.  early, bumps: what every other loss has more, before and after the crossing.
    slope: of -log loss.
    """
    x = np.linspace(0, 1, SAMPLES)
    late, odd = x >= 1 / 3, np.arange(SAMPLES) % 2 == 1
    top = 0.5 + 1.5 * x
    top = np.where(late, plateau, top) if crosses else 0.4 * top
    smooth = np.exp(-slope * x)
    loss = smooth * (1 + odd * (np.where(late, bumps, early) if crosses else 0))
    sides = [(loss, top)] + [(smooth, 0.5 + (flow_end - 0.5) * x)] * flow
    variables = {
        "samples": ("side", [SAMPLES] * len(sides)),
        "time": (("side", "step"), [DURATION * x] * len(sides)),
        "loss": (("side", "step"), [row for row, _ in sides]),
        "sharpness": (("side", "step", "sharpness_index"), [(2 / rate * row)[:, None] for _, row in sides]),
    }
    coordinates = {"step": np.arange(SAMPLES), "side": ["discrete", "gradient"][: len(sides)]}
    if flow:
        variables["distance"] = (("flow", "step"), [0.01 * x * np.where(crosses & (x >= 0.6), jump, 1)])
        coordinates["flow"] = ["gradient"]
    method = json.dumps({"name": "gradient-descent", "learning_rate": rate})
    attrs = {"problem": "staged", "method": method, "threshold": 2 / rate, "statuses": "{}", "learning_rate": rate}
    return xarray.Dataset(variables, coords=coordinates, attrs=attrs | attributes)
