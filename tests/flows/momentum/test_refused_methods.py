"""The methods that an equation does not describe, refused by name, with what to take instead."""

from typing import Any

import pytest
from jaxtyping import config

import discrete
import flows


@pytest.fixture
def as_installed():
    """Without the type checks that run under pytest only: misuse then meets the errors that a user meets."""
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", False)


def mixed_up(one: int, other: int):
    """The learning rate of one power and the momentum of the other."""
    return discrete.bregman_leapfrog(0.1, one).learning_rate, discrete.bregman_leapfrog(0.1, other).momentum


DESCENT, BALL, PLAIN = discrete.GradientDescent(0.1), discrete.HeavyBall(0.1, 0.9), discrete.Nesterov(0.1, 0.9)
CONVEX, AHEAD = discrete.nesterov_convex(0.1), discrete.nesterov_convex_look_ahead(0.1)
ELSE: Any = "else"
AT_REST, DECAYING = discrete.HeavyBall(0.1, 0.0), discrete.HeavyBall(lambda n: 0.1 / (n + 1), 0.9)
WRONG = {
    "convex: a constant momentum": (lambda: flows.SuBoydCandes(PLAIN), "describes nesterov_convex"),
    "convex: look-ahead points": (lambda: flows.SuBoydCandes(AHEAD), "not NesterovLookAhead with this momentum"),
    "convex: r of zero": (lambda: flows.SuBoydCandes(discrete.nesterov_convex(0.1, 0.0)), "`r` must be positive"),
    "convex: a scheduled rate": (lambda: flows.SuBoydCandes(discrete.nesterov_convex(lambda n: 0.1)), "has a schedule"),
    "Kovachki-Stuart: gradient descent": (lambda: flows.KovachkiStuart(DESCENT), "not GradientDescent"),
    "Kovachki-Stuart: a schedule": (lambda: flows.KovachkiStuart(CONVEX), "has a schedule"),
    "Kovachki-Stuart: a start": (lambda: flows.KovachkiStuart(BALL, start=ELSE), "`start` must be .* got 'else'"),
    "manifold: look-ahead points": (
        lambda: flows.InvariantManifold(discrete.NesterovLookAhead(0.1, 0.9)),
        "InvariantManifold describes HeavyBall, Nesterov and TwoStep, not NesterovLookAhead",
    ),
    "manifold: a schedule": (lambda: flows.InvariantManifold(DECAYING), "InvariantManifold needs a constant learning"),
    "manifold: a start": (lambda: flows.InvariantManifold(BALL, ELSE), "`start` must be 'params' or 'rest'"),
    "low: no momentum": (lambda: flows.LowResolution(AT_REST), "`momentum` must be positive"),
    "low: two-step": (lambda: flows.LowResolution(discrete.TwoStep(0.1, 0.9, 0.1)), "LowResolution .*not TwoStep"),
    "high: no momentum": (lambda: flows.HighResolution(AT_REST), "`momentum` must be positive"),
    "high: a schedule": (lambda: flows.HighResolution(CONVEX), "Nesterov has a schedule"),
    "high: a start": (lambda: flows.HighResolution(PLAIN, start=ELSE), "`start` must be 'corrected' or 'published'"),
    "high: a form": (lambda: flows.HighResolution(PLAIN, form=ELSE), "`form` must be 'gradient' or 'hessian', got"),
    "high, convex: a constant momentum": (lambda: flows.HighResolutionConvex(PLAIN), "not Nesterov with this momentum"),
    "high, convex: heavy ball": (lambda: flows.HighResolutionConvex(BALL), "not HeavyBall with this momentum"),
    "high, convex: the momentum of the other points": (
        lambda: flows.HighResolutionConvex(discrete.NesterovLookAhead(0.1, discrete.ConvexMomentum())),
        "not NesterovLookAhead with this momentum",
    ),
    "high, convex: r of two": (
        lambda: flows.HighResolutionConvex(discrete.nesterov_convex(0.1, 2.0)),
        r"`r` must exceed 2 for nesterov_convex, got 2: .*take nesterov_convex_look_ahead\(h, r\)",
    ),
    "high, convex: a scheduled rate": (
        lambda: flows.HighResolutionConvex(discrete.nesterov_convex(lambda n: 0.1)),
        "HighResolutionConvex needs a constant learning rate",
    ),
    "high, convex: an order": (lambda: flows.HighResolutionConvex(CONVEX, order=4), "`order` must be 2 or 3"),
    "high, convex: a form": (lambda: flows.HighResolutionConvex(CONVEX, form=ELSE), "`form` must be 'gradient'"),
    "Polyak: gradient descent": (lambda: flows.Polyak(DESCENT), "Polyak describes HeavyBall, .*not GradientDescent"),
    "Polyak: no momentum": (lambda: flows.Polyak(AT_REST), "`momentum` must be positive .* got 0.0"),
    "Polyak: a schedule": (lambda: flows.Polyak(CONVEX), "Polyak needs a constant learning rate and momentum"),
    "Muehlebach-Jordan: symplectic Euler": (
        lambda: flows.MuehlebachJordan(discrete.SymplecticEuler(0.1, 1.0)),
        "MuehlebachJordan describes .*not SymplecticEuler",
    ),
    "Muehlebach-Jordan: no momentum": (lambda: flows.MuehlebachJordan(AT_REST), "`momentum` must be positive"),
    "restart: without one": (lambda: flows.SpeedRestart(CONVEX), "not Nesterov as given"),
    "restart: by the gradient": (
        lambda: flows.SpeedRestart(discrete.RestartedNesterov(0.1, when="gradient")),
        r"describes RestartedNesterov\(h, when='speed'\)",
    ),
    "restart: a schedule": (
        lambda: flows.SpeedRestart(discrete.RestartedNesterov(lambda n: 0.1)),
        "SpeedRestart needs a constant learning rate",
    ),
    "Bregman: heavy ball": (lambda: flows.Bregman(BALL), r"describes bregman_leapfrog\(h, p, C\), not HeavyBall"),
    "Bregman: the momentum of another power": (
        lambda: flows.Bregman(discrete.HeavyBall(*mixed_up(2, 3))),
        "not HeavyBall as given",
    ),
}


@pytest.mark.parametrize(("make", "message"), WRONG.values(), ids=WRONG)
def test_a_method_that_the_equation_does_not_describe_is_refused(as_installed, make, message):
    with pytest.raises(ValueError, match=message):
        make()
