"""What cannot fit is refused with the numbers, before it is allocated; what fits is not."""

import numpy as np
import pytest

import landscapes
from landscapes import memory


@pytest.fixture
def a_gigabyte(monkeypatch):
    monkeypatch.setattr(memory, "memory_there_is", lambda: 10**9)


def test_the_memory_there_is_lies_between_nothing_and_that_of_the_machine():
    assert 10**7 < memory.memory_there_is() < 2**60


def test_limits_of_the_group_count(monkeypatch):
    monkeypatch.setattr(memory, "_group_limits", lambda: iter([12345, 10**30]))
    assert memory.memory_there_is() == 12345


def test_the_message_names_the_argument_the_need_and_what_there_is(a_gigabyte):
    memory.check_memory(125_000_000, widths=(3, 4))
    with pytest.raises(ValueError) as caught:
        memory.check_memory(125_000_001, times=2, widths=(3, 4))
    assert str(caught.value) == "`widths` = (3, 4) takes 2 GB of memory at least, and there are 1 GB; ask for less."


@pytest.mark.parametrize(
    ("name", "settings", "named"),
    [
        ("digits-mlp", {"widths": (7000, 7000)}, "`widths` = \\(7000, 7000\\) takes"),
        ("digits-mlp", {"widths": (1_000_000,)}, "`widths` = \\(1000000,\\) takes"),
        ("normalized-mlp", {"widths": (600_000,), "examples": 1}, "`widths`"),
        ("deep-linear", {"width": 4000}, "`depth` = 3 and `width` = 4000 take 1.15 GB"),
        ("diagonal-linear", {"dimension": 10**7, "examples": 10}, "`examples` = 10 and `dimension` = 10000000 take"),
        ("diagonal-linear", {"dimension": 10**400}, "a number of more than 300 digits take more than 1e\\+30 bytes"),
        ("chebyshev-mlp", {"points": 10**7}, "`points` = 10000000 and `widths` = \\(100,\\) take"),
        ("quadratic", {"eigenvalues": np.ones(6000)}, "`eigenvalues` = 6000 numbers takes"),
    ],
)
def test_no_problem_is_built_beyond_the_memory(name, settings, named, a_gigabyte):
    with pytest.raises(ValueError, match=named):
        landscapes.build(name, **settings)


def test_activations_count_unless_they_pass_in_micro_batches(a_gigabyte):
    settings = {"widths": (75_000,), "examples": 1797}
    with pytest.raises(ValueError, match="`examples` = 1797 and `widths` = \\(75000,\\) take 1.08 GB"):
        landscapes.digits_mlp(**settings)
    assert landscapes.digits_mlp(**settings, micro_batch=100).dimension == 65 * 75_000 + 75_001 * 10
