"""What the paper says, and what is measured of it."""

import numpy as np
import xarray

from ...frame.claim import Claim
from . import reduced_map
from .setting import BEFORE, MODELS, WITHIN

PAPER = "Damian, Nichani and Lee 2023"


def judge(data: list[xarray.Dataset]) -> list[Claim]:
    """The map and its loops on the toy; constrained trajectory, averages and timing on the network."""
    (found,) = data
    claims = reduced_map.judge(found)
    claims += [_held(found), _descends(found), _closer(found), _gap(found), _square(found)]
    within = found.sel(run=WITHIN)
    claims.append(_timing(within, "published", "the first burst from within the edge comes when predicted", 0))
    claims.append(_timing(within, "published", "later bursts come when predicted too", -1))
    if BEFORE in found.run:
        claims.append(
            _timing(found.sel(run=BEFORE), "published", "the first burst from before the edge comes when predicted", 0)
        )
    return claims


def _held(found: xarray.Dataset) -> Claim:
    return Claim(
        statement="the constrained trajectory has sharpness at most 2/h",
        source=f"{PAPER}, the definition of the constrained trajectory",
        quantity="largest S h/2 - 1 along it, over all runs",
        predicted=(-1.0, 1e-6),
        because="three linearized projections a step leave less",
        measured=float(found.constrained_sharpness.max() * found.attrs["learning_rate"] / 2 - 1),
    )


def _descends(found: xarray.Dataset) -> Claim:
    loss = found.constrained_loss
    return Claim(
        statement="the loss of the constrained trajectory decreases in every step",
        source=f"{PAPER}, descent lemma of the constrained trajectory",
        quantity="largest relative increase of the loss in a step, over all runs",
        predicted=(-1.0, 0.0),
        because="it is a sign",
        measured=float((loss.diff("step") / loss.isel(step=slice(None, -1)).values).max()),
    )


def _closer(found: xarray.Dataset) -> Claim:
    ends = found.distance.isel(sample=slice(-10, None)).mean("sample")
    ratio = ends.sel(model=MODELS[0]) / ends.sel(model=MODELS[1])
    return Claim(
        statement="gradient descent follows the constrained trajectory, not gradient flow",
        source=f"{PAPER}, the abstract and the experiments",
        quantity="distance to the averaged iterates at the end, over that of gradient flow; largest of the runs",
        predicted=(0.0, 0.25),
        because="a quarter tells following from lagging; the displacement itself is part of the distance",
        measured=float(ratio.max()),
    )


def _averages(found: xarray.Dataset) -> tuple[float, float, float]:
    """Within the edge: means of L(x_n) - L of the constrained trajectory, of x^2/h, and of d^2/h."""
    here, h = found.sel(run=WITHIN), found.attrs["learning_rate"]
    rows = (here.loss - here.constrained_loss, here.x**2 / h, 2 * here.alpha / here.beta / h)
    gap, square, predicted = (float(row.mean()) for row in rows)
    return gap, square, predicted


def _gap(found: xarray.Dataset) -> Claim:
    gap, square, _ = _averages(found)
    return Claim(
        statement="the loss is that of the constrained trajectory plus x^2/h",
        source=f"{PAPER}, theorem on the coupling and its prediction of the loss",
        quantity="time averages within the edge: loss above the constrained one, over x^2/h",
        predicted=(0.9, 1.1),
        because="the next terms of the expansion, y x^2/2 and the slow part of the displacement, are of some percent",
        measured=gap / square,
    )


def _square(found: xarray.Dataset) -> Claim:
    _, square, predicted = _averages(found)
    return Claim(
        statement="the oscillation has the size that holds the sharpness: x^2 is d^2 = 2 a/b on average",
        source=f"{PAPER}, the section on the cubic expansion",
        quantity="time average of x^2 within the edge, over that of 2 a/b along the constrained trajectory",
        predicted=(0.9, 1.1),
        because="over two or more loops y returns to where it was up to a tenth of h b d^2/2 times their steps",
        measured=square / predicted,
    )


def bursts(y: np.ndarray) -> np.ndarray:
    """Steps at which the excess of the sharpness falls through 0, as it does at the height of each burst."""
    return np.flatnonzero((y[:-1] > 0) & (y[1:] <= 0))


def _timing(run: xarray.Dataset, displacement: str, statement: str, which: int) -> Claim:
    seen, said = bursts(run.y.values), bursts(run.predicted_y.sel(displacement=displacement).values)
    seen, said = seen[: len(said)], said[: len(seen)]
    lag = (said[which] - seen[which]) / np.diff(seen).mean() if len(seen) > 1 else np.nan
    return Claim(
        statement=statement,
        source=f"{PAPER}, figures of the experiments: the predicted dynamics track the iterates",
        quantity=f"lag of the prediction at burst {which % max(len(seen), 1) + 1}, in loops",
        predicted=(-0.25, 0.25),
        because="a quarter of a loop is where two oscillations are out of step",
        measured=float(lag),
    )
