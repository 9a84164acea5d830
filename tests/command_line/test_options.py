"""The options of `odescent compare`: what is read from files that are not run is what running them registers."""

import inspect
import os
import re
import typing
from collections.abc import Sequence
from types import NoneType

import pytest
from command_cases import ran_without, words

import discrete.catalogue
import flows.catalogue
import landscapes
import odescent
import odescent_options
from odescent_options import REQUIRED, UNKNOWN, Setting


def as_it_runs(parameter: inspect.Parameter) -> Setting:
    hint, text = typing.get_args(parameter.annotation)
    first = [kind for kind in typing.get_args(hint) if kind is not NoneType] if typing.get_args(hint) else [hint]
    kind = hint if typing.get_origin(hint) is Sequence else first[0]
    if typing.get_origin(kind) is Sequence:
        kind = tuple[typing.get_args(kind)[0], ...]
    return Setting(kind, text, REQUIRED if parameter.default is parameter.empty else parameter.default)


def same(read: dict[str, Setting], runs: dict[str, Setting]) -> bool:
    assert list(read) == list(runs)
    for key, setting in read.items():
        default = runs[key].default if setting.default is UNKNOWN else setting.default
        assert setting._replace(default=default) == runs[key], key
    return True


def test_methods_read_are_methods_registered():
    read, makers = odescent_options.methods(), discrete.catalogue.METHODS
    assert list(read) == list(makers)
    for name in makers:
        runs = {key: as_it_runs(parameter) for key, parameter in discrete.catalogue.settings_of(name).items()}
        assert same(read[name], runs)
    assert sum(map(len, read.values())) >= 14


def test_problems_read_are_problems_registered():
    read = odescent_options.problems()
    assert read.keys() == landscapes.PROBLEMS.keys()
    for name, builder in landscapes.PROBLEMS.items():
        assert same(read[name], {key: as_it_runs(p) for key, p in inspect.signature(builder).parameters.items()})
    # The list of problems shows what is read: every default, and what each of them is.
    assert all(setting.default is not UNKNOWN for settings in read.values() for setting in settings.values())
    assert odescent_options.problem_meanings() == {
        name: inspect.getdoc(builder).split("\n")[0] for name, builder in landscapes.PROBLEMS.items()
    }
    assert {key: option.type for key, option in odescent_options.setting_options().items() if key in of(read)} == {
        key: setting.type for key, setting in landscapes.all_settings().items()
    }


def of(owners: dict[str, dict[str, Setting]]) -> set[str]:
    return set().union(*owners.values())


def test_flows_read_are_flows_registered():
    assert odescent_options.flows() == tuple(flows.catalogue.FLOWS)


def test_every_setting_is_an_option_that_says_whose_it_is():
    options = typing.get_type_hints(odescent.compare_command(), include_extras=True)
    for owners in (odescent_options.methods(), odescent_options.problems()):
        for name, settings in owners.items():
            for key, setting in settings.items():
                hint, said = typing.get_args(options[key])
                assert hint == setting.type | None
                assert name in re.split(r"[ ,.;]+", said.help) and setting.help in said.help


DECLARED = """
from typing import Annotated, Any, Literal
from ..registered import named
from ..settings import Beta2

Decay = Annotated[float | Any, "Decay of the signs."]

@named("sign")
@named("sign-3", beta1=3.0)
class Sign(Method):
    learning_rate: Any
    beta1: Decay
    beta2: Beta2 = 0.5
    kind: Annotated[Literal["a", "b"], "Which."] = eqx.field(static=True, default="a")
    other: Any = None

class NotRegistered(Method):
    gamma: Decay = 1.0
"""


@pytest.fixture
def tree(tmp_path, monkeypatch):
    (tmp_path / "discrete" / "room").mkdir(parents=True)
    (tmp_path / "landscapes").mkdir()
    (tmp_path / "landscapes" / "settings.py").write_text("")
    for name in ("registered.py", "settings.py"):
        (tmp_path / "discrete" / name).write_text((odescent_options.ROOT / "discrete" / name).read_text())
    monkeypatch.setattr(odescent_options, "ROOT", tmp_path)
    cached = (odescent_options.methods, odescent_options.problems, odescent_options.setting_options)
    for one in cached:
        one.cache_clear()
    yield tmp_path
    for one in cached:
        one.cache_clear()


def test_a_method_in_a_file_of_its_own_has_its_options(tree):
    (tree / "discrete" / "room" / "sign.py").write_text(DECLARED)
    assert {name: list(settings) for name, settings in odescent_options.methods().items()} == {
        "sign": ["beta1", "beta2", "kind"],
        "sign-3": ["beta2", "kind"],
    }
    options = odescent_options.setting_options()
    assert options["beta1"] == (float, "Decay of the signs. For sign (to be given).")
    assert options["beta2"].help.endswith("For sign and sign-3 (0.5 if not given).")
    assert options["kind"] == (typing.Literal["a", "b"], "Which. For sign and sign-3 (a if not given).")


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("discrete/a.py", '\n@named("a")\ndef a(h, beta2: Annotated[int, "Whole."]):\n    ...\n', "`beta2` of sign is"),
        (
            "landscapes/a.py",
            '\n@problem_builder("a")\ndef a(*, beta2: Annotated[float, "Its."] = 1.0):\n    ...\n',
            "beta2",
        ),
        ("discrete/a.py", '\n@named("a")\ndef a(h, b: Annotated[complex, "What."]):\n    ...\n', "complex is no type"),
    ],
    ids=["two types", "a method's and a problem's", "a type that no text has"],
)
def test_settings_that_cannot_be_one_option_are_refused(tree, file, text, says):
    (tree / "discrete" / "room" / "sign.py").write_text(DECLARED)
    (tree / file).write_text(text)
    with pytest.raises(ValueError, match=says):
        odescent_options.setting_options()


@pytest.mark.parametrize(
    ("problem", "settings", "gains"),
    [
        ("digits-mlp", {}, False),
        ("digits-mlp", {"widths": (200, 200), "examples": 1700}, True),
        ("normalized-mlp", {}, False),
        ("chebyshev-mlp", {}, False),
        ("cifar10-mlp", {"examples": 5}, True),
        ("two-valleys", {}, False),
    ],
)
def test_sides_of_small_problems_share_the_threads_and_gradients_of_large_ones_have_them_all(
    problem, settings, gains, monkeypatch
):
    assert odescent_options.gains_from_threads(problem, settings) is gains
    monkeypatch.setattr(odescent, "processors", lambda: 4)
    monkeypatch.setenv("NPROC", "2")
    assert odescent.share_threads(None, gains) == (1 if gains else 2) and os.environ["NPROC"] == "2"
    assert odescent.share_threads(3, gains) == (1 if gains else 3) and os.environ["NPROC"] == "3"
    monkeypatch.delenv("NPROC")
    assert odescent.share_threads(None, gains) == (1 if gains else 4) and "NPROC" not in os.environ


def test_a_run_goes_on_with_the_threads_it_began_with(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("NPROC", "1")
    assert odescent.main(words("--threads", "1", out=tmp_path)) == 0
    assert odescent.main(words("--threads", "1", "--resume", out=tmp_path)) == 0
    capsys.readouterr()
    assert odescent.main(words("--resume", out=tmp_path)) == 2
    assert "threads" in capsys.readouterr().err


@pytest.mark.parametrize("threads", ["0", "-1", "1000000000000"])
def test_threads_that_there_are_not_are_refused(threads, capsys):
    assert odescent.main([*words(), "--threads", threads]) == 2
    told = capsys.readouterr().err
    assert told.startswith("odescent: --threads must be from 1 to ") and told.endswith(f", got {threads}.\n")


def test_mistyped_names_are_told_before_jax_is_imported():
    known = {"--problem": "digits-mlp", "--method": "gradient-descent", "--flows": "gradient"}
    rest = ["--learning-rate", "0.1", "--steps", "10"]
    lines = [
        ["compare", *rest, *(word for pair in (known | {option: "gradeint"}).items() for word in pair)]
        for option in known
    ]
    told = ran_without({"jax"}, *lines, ["figures", "rosca"], status=2).stderr.splitlines()
    assert [line.split()[1] for line in told] == ["--problem", "--method", "--flows", "--papers"]
    assert all("unknown; did you mean" in line for line in told)
