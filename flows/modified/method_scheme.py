"""The scheme of a method: what its modified equation depends on, read off what the method says of itself."""

from fractions import Fraction

from jax.core import Tracer

from discrete import Method
from discrete.traits import Recursion, Stages

from ..flow import check_constant
from .scheme import Scheme, TwoStepScheme, heavy_ball_scheme, one_step_scheme, rational


def scheme_of(method: Method) -> Scheme:
    """The scheme of a method, its momentum a fraction: the decimal number that is written, 0.9 -> 9/10.

    Raises ValueError for a method that has no modified equation.
    """
    check_constant("the modified equation", method)
    match method.recursion():
        case Stages() as found:
            return heavy_ball_scheme(Fraction(0)) if found.is_gradient_descent else one_step_scheme(found)
        case Recursion(root=None) as found:
            return recursion_scheme(found)
    raise ValueError(
        f"the modified equation exists for GradientDescent, HeavyBall, Nesterov, NesterovLookAhead, TwoStep and "
        f"RungeKutta, not for {type(method).__name__}, which has no `recursion` of constant coefficients; a one-step "
        "method without state has `flows.IterateFlow`."
    )


def recursion_scheme(found: Recursion) -> TwoStepScheme:
    """The scheme of a recursion with constant coefficients; ValueError where it is none in the points alone."""
    if any(isinstance(number, Tracer) for number in found[:4]):
        raise ValueError(
            "`momentum` must be a number when the modified equation is built: build the flow outside of jit."
        )
    b, a, c, e = (rational(number) for number in found[:4])
    if a != 0 and e != 0:
        raise ValueError(
            f"`look_ahead` and `direct` of a `recursion` must not both differ from 0 for a modified equation, got "
            f"{float(a):g} and {float(e):g}: its points alone follow no recursion of two steps."
        )
    return TwoStepScheme(b, ((c + e, Fraction(0)), (-e * b, Fraction(-1))) if e else ((c, a),), direct=e)
