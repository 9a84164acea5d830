"""How far the series behind a flow reach: the sharpness beyond which they do not converge along a mode."""

from ..flow import Flow

SAFELY = 0.99


def beyond_radius(flow: Flow, sharpness: float) -> str | None:
    """What to know where a curvature, such as the sharpness, is beyond `Flow.series_radius`; None where it is not.

    On a mode within it every order from 2 to 4 is closer to the iterates than gradient flow, once a transient has died;
    beyond it nothing is sure, and odd orders are far off from 1.5 times on where the curvature is negative
    (tests/flows/test_radius.py, for gradient descent, heavy ball and Nesterov).
    """
    radius = flow.series_radius
    rate = float(flow.method.learning_rate)
    if radius is None or not rate * abs(sharpness) > radius:
        return None
    reached, end = flow.expansion_parameter(abs(sharpness)), flow.expansion_parameter(radius / rate)
    parameter = "sqrt(h S)" if flow.clock_exponent != 1 else "h S / (1 - b)^2"
    return (
        f"{parameter} = {reached:.3g} is beyond {end:.3g}, where the series of {type(flow).__name__} stops converging: "
        "it may be farther from the iterates than gradient flow; take flows.GradientFlow, or a learning rate below "
        f"{SAFELY * radius / abs(sharpness):.3g}"
    )
