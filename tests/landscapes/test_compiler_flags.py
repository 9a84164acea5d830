"""Flags of XLA: added to what is given, and only where the compiler knows them."""

import os
import subprocess
import sys

import pytest

from landscapes import compiler_flags
from landscapes.compiler_flags import ALWAYS, QUICKLY, WITHOUT_ACCELERATORS, set_compiler_flags


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    monkeypatch.setattr(compiler_flags.util, "find_spec", lambda name: None)
    monkeypatch.setattr(compiler_flags.metadata, "version", lambda name: "0.10.2")
    # Undone at the end, whatever the code under test sets it to.
    monkeypatch.setenv("XLA_FLAGS", "")


def flags() -> dict[str, str]:
    return dict(flag.removeprefix("--").split("=") for flag in os.environ["XLA_FLAGS"].split())


@pytest.mark.parametrize("quickly", [False, True])
def test_they_are_added_once(quickly):
    set_compiler_flags(quickly=quickly)
    set_compiler_flags(quickly=quickly)
    assert flags() == ALWAYS | WITHOUT_ACCELERATORS | (QUICKLY if quickly else {})


def test_what_is_given_is_kept(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_of_mine=2")
    set_compiler_flags()
    assert flags() == ALWAYS | {"xla_backend_optimization_level": "0", "xla_of_mine": "2"}


def test_programs_of_accelerators_are_optimized_as_ever(monkeypatch):
    monkeypatch.setattr(compiler_flags.util, "find_spec", lambda name: object())
    set_compiler_flags()
    assert flags() == ALWAYS


def test_a_file_of_flags_is_kept_by_itself(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "/etc/xla.flags")
    set_compiler_flags(quickly=True)
    assert os.environ["XLA_FLAGS"] == "/etc/xla.flags"


@pytest.mark.parametrize("version", ["0.9.2", "0.11.0", "1.0"])
def test_a_compiler_that_may_not_know_them_is_not_asked(version, monkeypatch):
    monkeypatch.setattr(compiler_flags.metadata, "version", lambda name: version)
    set_compiler_flags(quickly=True)
    assert not flags()


def test_the_installed_compiler_knows_what_it_is_asked():
    program = (
        "from landscapes.compiler_flags import set_compiler_flags; set_compiler_flags(quickly=True); "
        "import jax; print(jax.jit(lambda x: x + 1)(1))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "XLA_FLAGS": ""}, capture_output=True, text=True
    )
    assert done.stdout == "2\n", done.stderr
