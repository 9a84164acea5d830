"""Where the methods become unstable, found by bisection on runs, against the thresholds they state."""

import jax.numpy as jnp
import pytest

import discrete
import landscapes
from discrete.runge_kutta import EULER, KUTTA_3, KUTTA_4, MIDPOINT

H = 0.25
STEPS = 100_000


def explodes(method, sharpness) -> bool:
    loss = landscapes.Quadratic(jnp.array([[sharpness]]), jnp.zeros(1))
    run = discrete.run(method, loss, jnp.ones(1), steps=STEPS, every=STEPS, divergence_radius=100.0)
    return not run.completed


@pytest.mark.parametrize(
    "method",
    [
        discrete.GradientDescent(H),
        discrete.NesterovLookAhead(H, 0.6),
        *(discrete.TwoStep(H, 0.6, a) for a in (-0.4, 0.2, 1.5)),
        *(discrete.RungeKutta(H, tableau) for tableau in (EULER, MIDPOINT, KUTTA_3, KUTTA_4)),
        *(kind(H, b) for kind in (discrete.HeavyBall, discrete.Nesterov) for b in (0.0, 0.3, 0.9, 0.99)),
    ],
    ids=lambda m: f"{type(m).__name__} {getattr(m, 'momentum', '')} {getattr(m, 'look_ahead', '')}",
)
def test_bisection_on_runs_finds_the_stability_threshold(method):
    below, above = 0.0, 20.0
    assert explodes(method, above)
    while above - below > 1e-4 * above:
        middle = (below + above) / 2
        below, above = (below, middle) if explodes(method, middle) else (middle, above)
    assert method.stability_threshold() == pytest.approx((below + above) / 2, rel=5e-4)


SCHEDULED = {
    "gradient descent": discrete.GradientDescent(lambda n: 0.1 / (n + 1)),
    "heavy ball": discrete.HeavyBall(0.1, lambda n: 0.5),
    "nesterov": discrete.nesterov_convex(0.1),
}


@pytest.mark.parametrize("method", SCHEDULED.values(), ids=SCHEDULED)
def test_a_schedule_has_no_constant_threshold(method):
    assert method.stability_threshold() is None
