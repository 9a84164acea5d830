"""The setting of a figure by content: a constant of any kind that is edited has another fingerprint."""

import ast
import enum
import functools
import json
import sys
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import stub_paper
from paper_cases import part_of

import discrete
import flows
from comparisons.storage.fingerprint import content
from paper_figures.edge import cohen_2021_momentum, cohen_damian_2025
from paper_figures.frame.constants import constants
from paper_figures.frame.stored import CONSTANTS, load
from paper_figures.momentum import shi_2021
from paper_figures.report import catalogue


class Case(NamedTuple):
    method: discrete.Method
    steps: int


@dataclass
class Plain:
    size: float
    make: object = None


class Model(eqx.Module):
    weights: jax.Array
    depth: int = eqx.field(static=True)


class Colour(enum.Enum):
    RED, BLUE = 1, 2


def scaled(by):
    return lambda h: by * h


def with_default(by):
    def made(h, by=by, *, plus=by):
        return by * h + plus

    return made


def array(last):
    return np.append(np.linspace(0.1, 1.0, 20), last)


# Kind -> (as it was, as it is edited); functions, so that each is built anew.
KINDS = {
    "number": (lambda: 0.1, lambda: 0.1000001),
    "whole number": (lambda: 1, lambda: True),
    "no number": (lambda: float("nan"), lambda: float("inf")),
    "text": (lambda: "a", lambda: "b"),
    "tuple": (lambda: (1, (2, 3)), lambda: (1, (2, 4))),
    "dict": (lambda: {"a": {"b": 1}}, lambda: {"a": {"b": 2}}),
    "order of a dict": (lambda: {"a": 1, "b": 2}, lambda: {"b": 2, "a": 1}),
    "dict with numbers as keys": (lambda: {1: "a"}, lambda: {"1": "a"}),
    "set": (lambda: {"a", "b", "c"}, lambda: {"a", "b", "d"}),
    "range": (lambda: range(3), lambda: range(4)),
    "fraction": (lambda: Fraction(1, 3), lambda: Fraction(1, 4)),
    "enumeration": (lambda: Colour.RED, lambda: Colour.BLUE),
    "named tuple with a method": (
        lambda: Case(discrete.GradientDescent(0.1), 5),
        lambda: Case(discrete.GradientDescent(0.2), 5),
    ),
    "dataclass": (lambda: Plain(1.0, scaled(1)), lambda: Plain(1.0, scaled(2))),
    "module": (lambda: Model(jnp.arange(3.0), 2), lambda: Model(jnp.arange(3.0), 3)),
    "array in a module": (lambda: Model(jnp.arange(3.0), 2), lambda: Model(jnp.arange(3.0) + 1e-12, 2)),
    "another method": (lambda: discrete.HeavyBall(0.1, 0.9), lambda: discrete.Nesterov(0.1, 0.9)),
    "class": (lambda: {"k": discrete.HeavyBall}, lambda: {"k": discrete.Nesterov}),
    "flow": (
        lambda: flows.ModifiedFlow(discrete.GradientDescent(0.1), order=2),
        lambda: flows.ModifiedFlow(discrete.GradientDescent(0.1), order=3),
    ),
    "integrator": (lambda: flows.explicit(rtol=1e-6, atol=1e-9), lambda: flows.explicit(rtol=1e-7, atol=1e-9)),
    "constant in a function": (lambda: lambda m: m.scaled("published"), lambda: lambda m: m.scaled("rest")),
    "code of a function": (lambda: lambda a, b: a + b, lambda: lambda a, b: a - b),
    "name in a function": (lambda: lambda m: flows.KovachkiStuart, lambda: lambda m: flows.Polyak),
    "inner function": (lambda: lambda: lambda: 1.5, lambda: lambda: lambda: 2.5),
    "closure": (lambda: scaled(1.0), lambda: scaled(2.0)),
    "default": (lambda: with_default(1.0), lambda: with_default(2.0)),
    "library function": (lambda: discrete.nesterov_convex, lambda: discrete.nesterov_convex_look_ahead),
    "partial": (
        lambda: functools.partial(discrete.nesterov_strongly_convex, strong_convexity=1.0),
        lambda: functools.partial(discrete.nesterov_strongly_convex, strong_convexity=2.0),
    ),
    "bound method": (lambda: Fraction(1, 3).limit_denominator, lambda: Fraction(1, 4).limit_denominator),
    "jitted function": (lambda: jax.jit(scaled(1.0)), lambda: jax.jit(scaled(2.0))),
    "numpy's function": (lambda: np.tanh, lambda: np.sinh),
    "jax's function": (lambda: jnp.tanh, lambda: jnp.sinh),
    "array": (lambda: array(1.0), lambda: array(1.0 + 1e-15)),
    "shape": (lambda: np.zeros((2, 3)), lambda: np.zeros((3, 2))),
    "dtype": (lambda: np.zeros(2), lambda: np.zeros(2, np.int64)),
    "key": (lambda: jax.random.key(0), lambda: jax.random.key(1)),
}


@pytest.mark.parametrize(("before", "after"), KINDS.values(), ids=KINDS)
def test_every_kind_of_constant_is_told_from_its_edit_and_not_from_itself(before, after):
    # As text, in which 1 and true differ, and the order counts.
    first, again, edited = (json.dumps(content("X", make())) for make in (before, before, after))
    assert first == again != edited


@pytest.mark.parametrize(("before", "after"), KINDS.values(), ids=KINDS)
def test_an_edited_constant_has_the_file_made_again_and_a_line_says_which(before, after, tmp_path, capsys, monkeypatch):
    paper, times = stub_paper.Paper(), []
    for value in (before(), before(), after()):
        monkeypatch.setattr(stub_paper, "SETTING", value)
        (path,) = paper.compute(tmp_path, quick=True)
        times.append(path.stat().st_mtime_ns)
    assert times[0] == times[1] < times[2]
    assert capsys.readouterr().out == f"making {path} again: constants other SETTING\n"


@pytest.mark.parametrize(
    "value",
    [object(), sys, np.array([object()]), type("Local", (), {}), iter(()), {"a": (1, {"b": object()})}],
    ids=["object", "module", "objects in an array", "class of a function", "iterator", "deep inside"],
)
def test_what_has_no_fingerprint_is_refused_by_name(value):
    if isinstance(value, type):
        value.__qualname__ = "f.<locals>.Local"
    with pytest.raises(ValueError, match="the constant `CASES"):
        content("CASES", value)


@pytest.mark.parametrize(
    ("paper", "name", "edit"),
    [
        (cohen_damian_2025, "CASES", lambda cases: cases | {"RMSProp": cases["RMSProp"]._replace(steps=999)}),
        (
            cohen_damian_2025,
            "CASES",
            lambda cases: cases | {"RMSProp": cases["RMSProp"]._replace(method=discrete.RMSProp(0.0005, 0.98))},
        ),
        (shi_2021, "KINDS", lambda kinds: kinds | {"NAG-SC": discrete.nesterov_strongly_convex}),
        (shi_2021, "MODELS", lambda m: m | {"published": lambda method: flows.HighResolution(method, start="rest")}),
        (cohen_2021_momentum, "SPECTRUM", lambda spectrum: np.append(spectrum[:-1], 0.99)),
        (cohen_2021_momentum, "EDGES", lambda edges: edges | {"heavy ball": lambda b: 2 + 3 * b}),
    ],
)
def test_constants_of_papers_that_used_to_be_left_out(paper, name, edit, monkeypatch):
    computing = part_of(paper, "compute")
    before = constants(computing)
    monkeypatch.setattr(paper.setting, name, edit(getattr(paper.setting, name)))
    after = constants(computing)
    assert [key for key in after if after[key] != before[key]] == [name]


@pytest.mark.parametrize("name", catalogue.PAPERS)
def test_the_whole_setting_of_every_paper_has_a_fingerprint(name):
    paper = catalogue.PAPERS[name]
    setting = ast.parse(Path(paper.setting.__file__).read_text()).body
    assigned = [
        name.id
        for node in setting
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for name in ast.walk(node)
        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store) and name.id in vars(paper.setting)
    ]
    # What is assigned in small letters would be left out.
    assert assigned and all(name.isupper() for name in assigned)
    assert set(assigned) <= constants(part_of(paper, "compute")).keys()


def test_data_of_a_version_that_wrote_less_down_are_made_again_with_the_reason(tmp_path, capsys):
    paper = stub_paper.Paper()
    (path,) = paper.compute(tmp_path, quick=True)
    old = load(path)
    for said, why in (
        ({}, "it does not say with which constants and versions it was made"),
        ({CONSTANTS: "[1]"}, "it does not say"),
        ({CONSTANTS: "[" * 100_000}, "it does not say"),
        (
            {CONSTANTS: '{"OTHER": 1}', "provenance": "{}"},
            "constants not written down then: NUMBER, SETTING; gone: OTHER",
        ),
    ):
        old.attrs = said
        path.write_bytes(bytes(old.to_netcdf()))
        paper.compute(tmp_path, quick=True)
        assert f"making {path} again: {why}" in capsys.readouterr().out
    paper.compute(tmp_path, quick=True)
    assert capsys.readouterr().out == ""
