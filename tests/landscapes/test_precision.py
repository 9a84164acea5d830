"""Who is told that float32 is the precision, and who is not."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import landscapes
from landscapes import precision


def square(w):
    return jnp.sum(w**2)


@pytest.fixture
def as_jax_comes(monkeypatch):
    """A process in which x64 is off and nothing was said."""
    monkeypatch.setattr(precision, "_said", False)
    jax.config.update("jax_enable_x64", False)
    yield
    jax.config.update("jax_enable_x64", True)


def said(work) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        work()
    return [str(one.message) for one in caught if issubclass(one.category, UserWarning)]


@pytest.mark.usefixtures("as_jax_comes")
@pytest.mark.parametrize(
    "work",
    [
        lambda: landscapes.check_start(square, np.ones(3)),
        lambda: landscapes.check_start(lambda p: p["a"] * 2, {"a": 1.5}),
        landscapes.two_valleys,
        lambda: landscapes.build("quadratic"),
    ],
    ids=["numpy", "Python", "problem", "by name"],
)
def test_float32_that_nobody_asked_for_is_said_once_with_the_line_to_add(work):
    (message,) = said(work)
    assert "computed in float32" in message and 'jax.config.update("jax_enable_x64", True)' in message
    assert said(work) == said(lambda: landscapes.check_start(square, np.ones(3))) == []


@pytest.mark.usefixtures("as_jax_comes")
@pytest.mark.parametrize("dtype", [np.float32, jnp.bfloat16, np.float16])
@pytest.mark.parametrize("make", [np.ones, jnp.ones], ids=["numpy", "jax"])
def test_lower_precision_on_purpose_is_not_spoken_of(make, dtype):
    assert said(lambda: landscapes.check_start(square, make(3, dtype))) == []


def test_where_float64_is_on_nothing_is_said_nor_where_somebody_switched_it_off_for_a_while(monkeypatch):
    monkeypatch.setattr(precision, "_said", False)
    assert said(landscapes.two_valleys) == said(lambda: landscapes.check_start(square, np.ones(3))) == []
    with jax.enable_x64(False):
        assert said(landscapes.two_valleys) == said(lambda: landscapes.check_start(square, np.ones(3))) == []
