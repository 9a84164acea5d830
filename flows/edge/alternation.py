"""An oscillation of period two seen by a method: where it starts, where gradients are taken, how the rest moves."""

from typing import Any, NamedTuple

from discrete import GradientDescent, Method, MomentumMethod, NesterovLookAhead, RMSProp, ScalarRMSProp


class Alternation(NamedTuple):
    """A method along x_n = c + (-1)^n r, c slow, on its way through the edge of stability.

    threshold: h times the curvature (of the Hessian in units of the preconditioner) at which a multiplier is -1.
    reach: its gradients are taken at c + (-1)^n reach r.
    pace: c moves by -pace h grad L in each step where r = 0.
    """

    threshold: Any
    reach: Any
    pace: Any


def alternation(method: Method) -> Alternation | None:
    """Of gradient descent and its preconditioned kin 2, 1, 1; of momentum with look-ahead a, from v_n = 2 (-1)^n r,

        (2 + 2b)/(1 + 2a),  1 + 2a,  1/(1 - b)

    at the params x of heavy ball and Nesterov; at Nesterov's look-ahead points the reach is 1. None for other methods,
    and for a < 0, where a complex pair of multipliers may leave the unit circle before one passes -1.
    """
    if isinstance(method, GradientDescent | RMSProp | ScalarRMSProp):
        return Alternation(2.0, 1.0, 1.0)
    if isinstance(method, NesterovLookAhead):
        b = method.momentum
        return Alternation((2 + 2 * b) / (1 + 2 * b), 1.0, 1 / (1 - b))
    if isinstance(method, MomentumMethod) and not _leaves_elsewhere(method):
        b, a = method.momentum, method.looks_ahead()
        return Alternation((2 + 2 * b) / (1 + 2 * a), 1 + 2 * a, 1 / (1 - b))
    return None


def _leaves_elsewhere(method: MomentumMethod) -> bool:
    look_ahead = method.looks_ahead()
    return isinstance(look_ahead, int | float) and look_ahead < 0
