"""What finite steps change in a diagonal network: the ends of gradient descent and of heavy ball beside the flow's.

No step keeps u v, as gradient flow does: each multiplies it by 1 - 4 h^2 g^2, g the gradient in theta. So the ends are
of least Q for products that are smaller than those of the start, and not the same for all entries (Even et al. 2023).
"""

from typing import Any

import numpy as np
import xarray

import discrete
from comparisons.plot import COLOURS
from comparisons.theorems.order import regression

from ...frame.claim import Claim
from ...frame.interpolators import off_row_space
from ...frame.network_ends import diagonal_method_end

SCALE, MOMENTUM, DURATION = 0.1, 0.5, 400.0
METHODS = {
    "gradient descent": discrete.GradientDescent,
    # Its gradient flow has the clock of gradient descent with learning rate h.
    "heavy ball": lambda h: discrete.HeavyBall(h * (1 - MOMENTUM), MOMENTUM),
}
STEPS = (0.04, 0.02, 0.01, 0.005, 0.0025)
SEPARATES = "half of this separates neighbouring orders three times over"


def with_methods(found: xarray.Dataset, flow_end: np.ndarray) -> xarray.Dataset:
    """The data with the ends of both methods at every learning rate, how far u v has shrunk, and the flow's end."""
    ends = [[diagonal_method_end(make(h), SCALE, round(DURATION / h)) for h in STEPS] for make in METHODS.values()]
    thetas, shrinkage = np.moveaxis(np.array(ends), 2, 0)
    dims = ("method", "step", "entry")
    return found.assign(
        end=(dims, thetas),
        shrinkage=(dims, shrinkage, {"long_name": "log of u v at the end over u v at the start"}),
        flow_end=("entry", flow_end),
    ).assign_coords(method=list(METHODS), step=list(STEPS))


def judge_methods(found: xarray.Dataset) -> list[Claim]:
    """Four claims: the order of the ends, what they minimize, how momentum adds to it, and who is sparser."""
    return [_distance(found), _own_potential(found), _shrinkage(found), _denser(found)]


def distances(found: xarray.Dataset) -> np.ndarray:
    """|theta - theta of the flow| at the ends; (method, step)."""
    return np.linalg.norm(found.end.values - found.flow_end.values, axis=-1)


def _distance(found: xarray.Dataset) -> Claim:
    slopes = [regression(found.step.values, row) for row in distances(found)]
    slope, width = max(slopes, key=lambda pair: abs(pair[0] - 1))
    return Claim(
        statement="gradient descent and heavy ball end within O(h) of the flow's interpolator",
        source="derived here: the paper's theorems are on the flow",
        quantity="slope of log distance between the ends on log h, the farther of both methods from 1",
        predicted=(0.85, 1.15),
        because=SEPARATES,
        measured=slope,
        uncertainty=width,
    )


def own_residuals(found: xarray.Dataset) -> np.ndarray:
    """Part of asinh(theta / (2 u v)) outside the rows of X, u v as it is at the end; (method, step)."""
    duals = np.arcsinh(found.end.values / (2 * SCALE * np.exp(found.shrinkage.values)))
    return np.array([[off_row_space(found.inputs.values, dual) for dual in row] for row in duals])


def _own_potential(found: xarray.Dataset) -> Claim:
    slopes = [regression(found.step.values, row) for row in own_residuals(found)]
    slope, width = max(slopes, key=lambda pair: abs(pair[0] - 2))
    return Claim(
        statement="up to O(h^2) their ends are those of least Q for the products u v that finite steps have left",
        source="derived here; Even et al. 2023 for gradient descent",
        quantity="slope on log h of the part of asinh(theta / (2 u v)) outside the rows of X, the farther from 2",
        predicted=(1.85, 2.15),
        because=f"{SEPARATES}; with alpha^2, the u v of the start, it is 1",
        measured=slope,
        uncertainty=width,
    )


def _shrinkage(found: xarray.Dataset) -> Claim:
    # A straight line in h through the smallest three gives sum log(u v / alpha^2) / h at h = 0.
    h = found.step.values[-3:]
    descent, ball = (np.polyfit(h, row[-3:].sum(-1) / h, 1)[1] for row in found.shrinkage.values)
    return Claim(
        statement="on the same clock momentum shrinks log(u v) by (1 + b)/(1 - b) times what gradient descent does",
        source="derived here from Kovachki and Stuart 2021, theorem 9",
        quantity=f"ratio of sum log(u v / alpha^2) for h to 0, over (1 + b)/(1 - b), b = {MOMENTUM}",
        predicted=(0.99, 1.01),
        because="the straight line leaves O(h^2), h times the sharpness being 0.05",
        measured=float(ball / descent * (1 - MOMENTUM) / (1 + MOMENTUM)),
    )


def _denser(found: xarray.Dataset) -> Claim:
    descent, ball = np.abs(found.end.values).sum(-1) / np.abs(found.flow_end.values).sum() - 1
    return Claim(
        statement="large steps hinder the recovery of sparse solutions, and momentum hinders it more",
        source="Even et al. 2023 and Papazov et al. 2024, abstracts",
        quantity="least over h of the gain in the l1 norm over the flow's, and of heavy ball's less gradient descent's",
        predicted=(0.0, np.inf),
        because="the sign is what is stated; u v shrinks most on the support, whose cost in Q that raises",
        measured=float(np.min([descent, ball - descent])),
    )


def draw_methods(panel: Any, found: xarray.Dataset, title: str) -> None:
    """Distance of the ends to the flow's, and the conditions for their own products, against the learning rate."""
    apart, residuals = distances(found), own_residuals(found)
    for i, (name, colour) in enumerate(zip(METHODS, COLOURS, strict=False)):
        label = name if i == 0 else rf"{name}, $\beta = {MOMENTUM}$"
        panel.loglog(found.step, apart[i], "o-", color=colour, markersize=3, linewidth=1.0, label=label)
        panel.loglog(found.step, residuals[i], "s--", color=colour, markersize=3, linewidth=1.0)
    panel.plot([], [], "o-", color="0.4", markersize=3, label="distance to the flow's end")
    panel.plot([], [], "s--", color="0.4", markersize=3, label="conditions with their own $uv$")
    panel.set_xticks(found.step.values, [f"{h:g}" for h in found.step.values])
    panel.minorticks_off()
    panel.set(title=title, xlabel="learning rate $h$", ylabel="distance; relative residual")
    panel.legend(fontsize="x-small", loc="lower right")
