"""What the paper says, and what is measured of it."""

import numpy as np
import xarray

from ...frame.claim import Claim
from ...frame.edge_claims import PAPER, plateau
from .setting import KINDS, QUADRATIC_STEPS, SHARES

WRITTEN = {"heavy ball": "(2 + 2b)/h", "Nesterov": "(2 + 2b)/((1 + 2b) h)"}


def judge(data: list[xarray.Dataset]) -> list[Claim]:
    """Both sides of the thresholds on quadratics, and the plateau of each method on the digits."""
    quadratics, *runs = data
    return [_converge(quadratics), _diverge(quadratics), *(_plateau(runs, kind) for kind in KINDS)]


def _ends(quadratics: xarray.Dataset, share: float) -> np.ndarray:
    """The last distance of each run."""
    rows = quadratics.distance.sel(share=share).values.reshape(-1, quadratics.sizes["step"])
    return np.array([row[np.isfinite(row)][-1] for row in rows])


def _converge(quadratics: xarray.Dataset) -> Claim:
    ends = _ends(quadratics, SHARES[0])
    return Claim(
        statement="on a quadratic heavy ball converges below (2 + 2b)/h, Nesterov below (2 + 2b)/((1 + 2b) h)",
        source=f"{PAPER}, appendix on momentum",
        quantity=f"largest |x_n|/|x_0| after {QUADRATIC_STEPS} steps 1 % below; {ends.size} runs, b = 0 to 0.99",
        predicted=(0.0, 1e-3),
        because="1 % below, the largest root is at most 0.995: 0.995^3000 = 3e-7; a thousand times that",
        measured=float(ends.max()),
    )


def _diverge(quadratics: xarray.Dataset) -> Claim:
    ends = _ends(quadratics, SHARES[1])
    return Claim(
        statement="on a quadratic, heavy ball and Nesterov diverge above these thresholds",
        source=f"{PAPER}, appendix on momentum",
        quantity=f"least |x_n|/|x_0| 1 % above, after {QUADRATIC_STEPS} steps or where the run is past 1e6",
        predicted=(1e3, np.inf),
        because="1 % above, the largest root is at least 1.02, which is past 1e6 after 700 steps",
        measured=float(ends.min()),
    )


def _plateau(runs: list[xarray.Dataset], kind: str) -> Claim:
    chosen = [run for run in runs if run.attrs["kind"] == kind]
    return plateau(
        chosen,
        because="as for gradient descent: the paper's curves stay near the threshold; 5 to 10 % for a small network",
        statement=f"with {kind} the sharpness rises to {WRITTEN[kind]} and then hovers around it",
        source=f"{PAPER}, appendix on momentum",
        quantity="mean sharpness over the last third of the run, over the threshold; spread over momenta",
    )
