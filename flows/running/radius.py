"""How far the series behind a flow reach: the sharpness beyond which they do not converge along a mode."""

import numpy as np
from numpy.polynomial import Polynomial

from discrete import Method

from ..flow import Flow
from ..modified import IterateFlow, LeadingError, ModifiedFlow, convergence_radius
from ..momentum.invariant_manifold import InvariantManifold
from ..momentum.second_order import RootClockFlow

SAFELY = 0.99


def series_radius(flow: Flow) -> float | None:
    """h |s| below which the series that the flow truncates converges on a mode of curvature s; None where it has none.

    In h, `convergence_radius`: of a `ModifiedFlow`, `IterateFlow` or `LeadingError` above order 1, of the penalty of
    `InvariantManifold`. In sqrt(h), `pair_radius`: of second-order flows in the time n sqrt(h), with constant momentum.
    None: order 1, which is no series (gradient flow, `KovachkiStuart`), order "optimal", which stops in time, flows
    that are exact on the modes at the edge, and methods that are no linear recursion on a mode.
    """
    try:
        match flow:
            case ModifiedFlow(truncation="optimal") | ModifiedFlow(truncation=1) | IterateFlow(order=1):
                return None
            case ModifiedFlow() | IterateFlow() | LeadingError() | InvariantManifold():
                return convergence_radius(flow.method)
            case RootClockFlow():
                return pair_radius(flow.method) if flow.method.is_constant else None
    except ValueError:
        # An own one-step method has an `IterateFlow` but no polynomial.
        return None
    return None


def pair_radius(method: Method) -> float | None:
    """h |s| below which the logarithm of both roots together, which a second-order equation carries, is a series.

    Where the roots leave 1 as a pair, at (1 - sqrt b)^2 for heavy ball, nothing ends. It ends where they meet again on
    the other side of 0, with logarithms 2 pi i apart: heavy ball (1 + sqrt b)^2; or where one vanishes: Nesterov 1.
    """
    polynomials = [Polynomial([0.0]) + c for c in method.characteristic(Polynomial([0.0, 1.0]))]
    if len(polynomials) == 2:
        return None
    _, linear, constant = polynomials
    meetings = (linear**2 - 4 * constant).trim(1e-14).roots()
    # The double root is -linear/2.
    ends = [z for z in meetings if -linear(z).real / 2 < 1e-9]
    ends += list(constant.trim(1e-14).roots())
    return float(np.min(np.abs(ends))) if ends else None


def beyond_radius(flow: Flow, sharpness: float) -> str | None:
    """What to know where the sharpness (the largest |curvature|) is beyond the `series_radius`; None where it is not.

    On a mode within it every order from 2 to 4 is closer to the iterates than gradient flow, once a transient has died;
    from 1.3 to 16 times the radius on none is, and odd orders are far off from 1.5 times on where the curvature is
    negative (tests/flows/test_radius.py, for gradient descent, heavy ball and Nesterov).
    """
    radius = series_radius(flow)
    rate = float(flow.method.learning_rate)
    if radius is None or not rate * abs(sharpness) > radius:
        return None
    reached, end = flow.expansion_parameter(abs(sharpness)), flow.expansion_parameter(radius / rate)
    parameter = "sqrt(h S)" if isinstance(flow, RootClockFlow) else "h S / (1 - b)^2"
    return (
        f"{parameter} = {reached:.3g} is beyond {end:.3g}, where the series of {type(flow).__name__} stops converging: "
        "it may be farther from the iterates than gradient flow; take flows.GradientFlow, or a learning rate below "
        f"{SAFELY * radius / abs(sharpness):.3g}"
    )
