"""Methods by name, and methods as plain data."""

import json

import optax
import pytest

import discrete
from discrete.catalogue import METHODS, TAKES, description, method_named

STRONGLY_CONVEX = [name for name, takes in TAKES.items() if "strong_convexity" in takes]


@pytest.mark.parametrize("name", METHODS)
def test_every_name_builds_a_method_with_its_learning_rate(name):
    rate = method_named(name, 0.25, **({"strong_convexity": 0.5} if name in STRONGLY_CONVEX else {})).learning_rate
    assert callable(rate) == name.startswith("bregman-")
    assert getattr(rate, "step_squared", rate) == 0.25


@pytest.mark.parametrize("power", [2, 3, 4])
def test_a_bregman_method_is_named_by_its_power(power):
    assert method_named(f"bregman-{power}", 0.25) == discrete.bregman_leapfrog(0.25, power)


def test_a_setting_the_method_does_not_take_is_refused_by_name():
    with pytest.raises(ValueError, match="`momentum` does not apply to gradient-descent, which takes: learning_rate"):
        method_named("gradient-descent", 0.1, momentum=0.9)


@pytest.mark.parametrize("name", STRONGLY_CONVEX)
def test_a_missing_strong_convexity_is_named(name):
    with pytest.raises(ValueError, match=f"`strong_convexity` is missing: {name} needs it"):
        method_named(name, 0.1)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (discrete.HeavyBall(0.1, 0.5), {"name": "heavy-ball", "learning_rate": 0.1, "momentum": 0.5}),
        (
            discrete.nesterov_convex(0.1),
            {"name": "nesterov", "learning_rate": 0.1, "momentum": "(n - 1)/(n + 2)"},
        ),
        (
            discrete.nesterov_convex_look_ahead(0.1, 4.5),
            {"name": "nesterov-look-ahead", "learning_rate": 0.1, "momentum": "n/(n + 4.5)"},
        ),
        (
            discrete.bregman_leapfrog(0.25, power=3),
            {
                "name": "heavy-ball",
                "learning_rate": "Bregman, p = 3, C = 0.25, e^2 = 0.25",
                "momentum": "Bregman, p = 3",
            },
        ),
        (
            discrete.from_optax(optax.sgd(0.1)),
            {"name": "optax-method", "transformation": "GradientTransformationExtraArgs", "learning_rate": 0.1},
        ),
    ],
    ids=["numbers", "a schedule", "another schedule", "two schedules", "optax"],
)
def test_a_method_is_described_by_plain_data(method, expected):
    assert description(method) == expected == json.loads(json.dumps(description(method)))


def test_a_restarted_method_is_described_with_its_words_and_whole_numbers():
    described = description(method_named("nesterov-restarted", 0.25))
    assert described == {
        "name": "restarted-nesterov",
        "learning_rate": 0.25,
        "r": 3.0,
        "when": "speed",
        "earliest": 1,
    }
