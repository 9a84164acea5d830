"""What the paper says, and what is measured of it."""

import xarray

from ...frame.claim import Claim
from ...frame.edge_claims import edge_claims


def judge(runs: list[xarray.Dataset]) -> list[Claim]:
    """The plateau at 2/h, progressive sharpening beyond it along the flow, when the paths part, how the loss falls."""
    because = "the paper's curves stay within 1.0 to 1.05; 5 % more either way for fewer images and a shorter time"
    return edge_claims(runs, because=because)
