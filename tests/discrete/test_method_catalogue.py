"""Methods by name, and methods as plain data."""

import json

import optax
import pytest

import discrete
from discrete.catalogue import METHODS, description, method_named


@pytest.mark.parametrize("name", METHODS)
def test_every_name_builds_a_method_with_its_learning_rate(name):
    settings = {"strong_convexity": 0.5} if name == "nesterov-strongly-convex" else {}
    assert method_named(name, 0.25, **settings).learning_rate == 0.25


def test_a_setting_the_method_does_not_take_is_refused_by_name():
    with pytest.raises(ValueError, match="`momentum` does not apply to gradient-descent, which takes: learning_rate"):
        method_named("gradient-descent", 0.1, momentum=0.9)


def test_a_missing_strong_convexity_is_named():
    with pytest.raises(ValueError, match="`strong_convexity` is missing"):
        method_named("nesterov-strongly-convex", 0.1)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (discrete.HeavyBall(0.1, 0.5), {"name": "heavy-ball", "learning_rate": 0.1, "momentum": 0.5}),
        (
            discrete.nesterov_convex(0.1),
            {"name": "nesterov", "learning_rate": 0.1, "momentum": "convex_momentum"},
        ),
        (
            discrete.from_optax(optax.sgd(0.1)),
            {"name": "optax-method", "transformation": "GradientTransformationExtraArgs", "learning_rate": None},
        ),
    ],
    ids=["numbers", "a schedule", "optax"],
)
def test_a_method_is_described_by_plain_data(method, expected):
    assert description(method) == expected == json.loads(json.dumps(description(method)))
