"""`odescent compare --config FILE`: the arguments of another run, or of a file written by hand."""

import json
from pathlib import Path

import numpy as np
import pytest
from command_cases import OPTIONS, ran_without, words

import comparisons
import odescent

# As the command line of the version before --config wrote it, with its options and no others.
OLD = Path(__file__).parent / "config_of_an_older_version.json"
NUMBERS = ("--problem", "chebyshev-mlp", "--widths", "3", "--points", "5", "--seed", "3", "--flows", "gradient")
METHOD = ("--method", "heavy-ball", "--momentum", "0.6", "--learning-rate", "0.07", "--steps", "12", "--every", "3")


def run(*line: str) -> None:
    assert odescent.main(["compare", *line]) == 0


def same_numbers(one: Path, two: Path) -> bool:
    a, b = (comparisons.load(path / "comparison.nc") for path in (one, two))
    np.testing.assert_array_equal(a.discrete.observations["loss"], b.discrete.observations["loss"])
    np.testing.assert_array_equal(a.discrete.observations["sharpness"], b.discrete.observations["sharpness"])
    for name in a.flows:
        np.testing.assert_array_equal(a.divergence[name].distance, b.divergence[name].distance)
    return a.flows.keys() == b.flows.keys()


@pytest.mark.slow
def test_a_run_from_its_configuration_gives_the_same_numbers_bit_for_bit(tmp_path, capsys):
    run(*NUMBERS, *METHOD, "--top", "1", "--out", str(tmp_path / "one"))
    run("--config", str(tmp_path / "one" / "config.json"), "--out", str(tmp_path / "two"))
    assert same_numbers(tmp_path / "one", tmp_path / "two")
    one, two = (json.loads((tmp_path / name / "config.json").read_text())["arguments"] for name in ("one", "two"))
    assert one == two
    capsys.readouterr()


def test_what_is_given_on_the_command_line_overrides_the_file(tmp_path, capsys):
    run(*words(out=tmp_path / "one")[1:])
    file = tmp_path / "one" / "config.json"
    for n, line in enumerate(
        [("--config", str(file), "--learning-rate", "0.2"), ("--learning-rate=0.2", f"--config={file}")]
    ):
        run(*line, "--out", str(tmp_path / f"two{n}"))
        before = json.loads(file.read_text())["arguments"]
        after = json.loads((tmp_path / f"two{n}" / "config.json").read_text())["arguments"]
        assert after == before | {"learning_rate": 0.2}
    capsys.readouterr()


def test_an_argument_of_the_file_can_be_taken_back(tmp_path, capsys):
    run(*words(method="heavy-ball", momentum="0.5", out=tmp_path / "one")[1:])
    line = ("--config", str(tmp_path / "one" / "config.json"), "--method", "gradient-descent", "--momentum", "None")
    run(*line, "--out", str(tmp_path / "two"))
    assert json.loads((tmp_path / "two" / "config.json").read_text())["arguments"]["momentum"] is None
    capsys.readouterr()


def test_a_run_goes_on_from_its_own_configuration(tmp_path, capsys):
    run(*words(out=tmp_path)[1:])
    run("--config", str(tmp_path / "config.json"), "--out", str(tmp_path), "--resume")
    assert "finished already" in capsys.readouterr().err
    run("--config", str(tmp_path / "config.json"), "--out", str(tmp_path), "--overwrite")
    capsys.readouterr()


def test_the_configuration_of_an_older_version_runs(tmp_path, capsys):
    run("--config", str(OLD), "--out", str(tmp_path / "run"))
    old = json.loads(OLD.read_text())["arguments"]
    new = json.loads((tmp_path / "run" / "config.json").read_text())["arguments"]
    assert {key: new[key] for key in old} == old
    assert {value for key, value in new.items() if key not in old} == {None}
    capsys.readouterr()


GOOD = {
    name.removeprefix("--").replace("-", "_"): value.split() if name == "--flows" else value
    for name, value in OPTIONS.items()
} | {"learning_rate": 1, "steps": 40, "every": 1, "top": 0}


def written(tmp_path, content) -> str:
    file = tmp_path / "mine.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(file)


def test_a_file_by_hand_needs_only_arguments_and_what_it_leaves_out_can_be_given(tmp_path, capsys):
    file = written(tmp_path, {"arguments": {key: value for key, value in GOOD.items() if key != "steps"}})
    run("--config", file, "--steps", "4", "--out", str(tmp_path / "run"))
    arguments = json.loads((tmp_path / "run" / "config.json").read_text())["arguments"]
    assert arguments["steps"] == 4 and arguments["precision"] == "float64"
    capsys.readouterr()
    assert odescent.main(["compare", "--config", file]) == 2
    assert capsys.readouterr().err == "odescent: missing: --steps; see odescent compare --help\n"


BAD = {
    "no file": (None, "is no file"),
    "no JSON": ("arguments", "is no JSON"),
    "a list": ([], "has a list alone, where an object belongs"),
    "no arguments": ({"command": "compare"}, "has no arguments"),
    "arguments that are a list": ({"arguments": [1]}, "has a list as arguments"),
    "another command": ({"arguments": GOOD, "command": "figures"}, "is of another command than compare: 'figures'"),
    "an unknown key": (
        {"arguments": GOOD | {"lerning_rate": 1}},
        "arguments.lerning_rate, which does not belong",
    ),
    "the folder of the run": ({"arguments": GOOD | {"out": "x"}}, "arguments.out, which does not belong there"),
    "a text for a number": ({"arguments": GOOD | {"steps": "40"}}, 'has "40" as arguments.steps, where a whole number'),
    "half a step": ({"arguments": GOOD | {"steps": 4.5}}, "has 4.5 as arguments.steps"),
    "true for a number": ({"arguments": GOOD | {"momentum": True}}, "has true as arguments.momentum"),
    "a number for a list": ({"arguments": GOOD | {"widths": 4}}, "has 4 as arguments.widths"),
    "a text in a list": ({"arguments": GOOD | {"widths": [4, "x"]}}, 'has "x" as arguments.widths[1]'),
    "null for what must be": ({"arguments": GOOD | {"every": None}}, "has null as arguments.every"),
    "none of the words": (
        {"arguments": GOOD | {"solver": "implicit"}},
        'has "implicit" as arguments.solver, where auto or explicit or stabilized or stiff',
    ),
    "NaN": ('{"arguments": {"learning_rate": NaN}}', "NaN is not part of JSON"),
    "nested deeply": ("[" * 10_000, "is nested too deeply"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_one_line(case, tmp_path, capsys):
    content, says = BAD[case]
    file = str(tmp_path / "nowhere.json") if content is None else written(tmp_path, content)
    assert odescent.main(["compare", "--config", file, "--out", str(tmp_path / "run")]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1
    assert captured.err.startswith(f"odescent: --config {file} ") and says in captured.err
    assert not (tmp_path / "run").exists()


def test_a_value_that_is_refused_is_refused_from_a_file_too(tmp_path, capsys):
    assert odescent.main(["compare", "--config", written(tmp_path, {"arguments": GOOD | {"learning_rate": -1}})]) == 2
    assert "--learning-rate" in capsys.readouterr().err
    assert odescent.main(["compare", *words()[1:], "--config"]) == 2
    assert "--config" in capsys.readouterr().err


def test_help_beside_a_file_reads_no_file_and_imports_no_jax():
    assert "--momentum" in ran_without({"jax"}, ["compare", "--config", "nowhere", "--help"]).stdout
