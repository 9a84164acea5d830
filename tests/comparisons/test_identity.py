"""A flow is accepted, and a run resumed, by what it is made of: never by a printed name."""

import functools
import sys
import types

import jax.numpy as jnp
import numpy as np
import optax
import pytest

import comparisons
import discrete
import flows
from comparisons.storage.fingerprint import same_content
from comparisons.storage.identity import identity

START, STEPS = jnp.ones(2), 40
SLOPE = 2.0


def bowl(x):
    return 0.5 * jnp.sum(x**2)


def cosine(rate):
    return discrete.GradientDescent(optax.cosine_decay_schedule(rate, 50))


def of_optax(make, rate):
    return discrete.from_optax(make(rate))


class Named(discrete.Schedule):
    """Every one of them prints as the same name."""

    rate: float

    def __call__(self, step):
        return self.rate / (1 + step)

    @property
    def __name__(self):
        return "named"


OTHERS = {
    "sgd": functools.partial(of_optax, optax.sgd),
    "adam": functools.partial(of_optax, optax.adam),
    "a cosine": cosine,
    "a schedule of the same name": lambda rate: discrete.GradientDescent(Named(rate)),
    "an array": lambda rate: discrete.GradientDescent(jnp.asarray([rate, 0.05])),
}


def stop(done, steps):
    if done:
        raise KeyboardInterrupt


@pytest.mark.parametrize("make", OTHERS.values(), ids=OTHERS)
def test_a_run_is_not_resumed_with_another_method_of_the_same_name(make, tmp_path):
    common = {"steps": STEPS, "folder": tmp_path / "run"}
    comparisons.compare(make(0.01), {}, bowl, START, progress=stop, **common)
    with pytest.raises(ValueError, match="`resume` must repeat the run .*: its method is"):
        comparisons.compare(make(0.1), {}, bowl, START, resume=True, **common)
    resumed = comparisons.compare(make(0.01), {}, bowl, START, resume=True, **common)
    whole = comparisons.compare(make(0.01), {}, bowl, START, steps=STEPS)
    np.testing.assert_array_equal(resumed.discrete.observations["loss"], whole.discrete.observations["loss"])


@pytest.mark.parametrize("make", [OTHERS["sgd"], OTHERS["adam"]], ids=["sgd", "adam"])
def test_a_flow_of_another_transformation_is_no_model_of_this_one(make):
    one, other = (discrete.from_optax(make(rate).transformation, 0.02) for rate in (0.02, 0.02))
    different = discrete.OptaxMethod(transformation=make(0.5).transformation, learning_rate=0.02)
    comparisons.compare(one, {"g": Labelled(other)}, bowl, START, steps=2)
    with pytest.raises(ValueError, match=r"`flows\['g'\]` models .*or one that cannot be told from it"):
        comparisons.compare(one, {"g": Labelled(different)}, bowl, START, steps=2)


class Labelled(flows.ODEFlow):
    """A flow that takes any method."""

    method: discrete.Method
    order = None
    field_cost = flows.FieldCost(1)

    def vector_field(self, loss, t, state):
        return -state


def test_content_sees_what_a_function_is_closed_over_and_what_it_names():
    def closed(value):
        return lambda x: value * x

    assert same_content(closed(1.0), closed(1.0)) and not same_content(closed(1.0), closed(2.0))
    assert identity(closed(jnp.ones(3))) == identity(closed(jnp.ones(3))) != identity(closed(jnp.zeros(3)))


def test_content_sees_plain_data_of_the_module(monkeypatch):
    def named(x):
        return SLOPE * x

    before = identity(named)
    monkeypatch.setitem(globals(), "SLOPE", 3.0)
    assert identity(named) != before


def test_what_cannot_be_told_apart_is_never_taken_for_the_same():
    assert not same_content(object(), object())
    found = identity(object())
    assert "not to be told from another" in found and identity(object()) != found


OWN = """
import discrete

SETTINGS = {{"scale": {scale}}}

class Mine(discrete.Method):
    learning_rate: float = 0.1

    def init(self, params):
        return None

    def step(self, gradient, params, state):
        return params {sign} self.learning_rate * gradient(params), state

def seen(params):
    return SETTINGS["scale"] * params
"""


def own(monkeypatch, sign="-", scale=1.0):
    """A module of the user's, as it may stand in a file that is edited between two runs."""
    module = types.ModuleType("of_a_user")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(OWN.format(sign=sign, scale=scale), module.__dict__)
    return module


def test_a_class_of_the_users_own_is_another_one_once_its_code_is_edited(monkeypatch):
    first, again, edited = (identity(own(monkeypatch, sign).Mine()) for sign in "--+")
    assert first == again != edited


def test_data_that_a_function_of_the_users_own_looks_up_are_part_of_it(monkeypatch):
    first, again, edited = (identity(own(monkeypatch, scale=scale).seen) for scale in (1.0, 1.0, 7.0))
    assert first == again != edited
