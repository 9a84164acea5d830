"""What a command prints and writes: the layout that scripts rely on, every path, every precision, no flows at all."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from command_cases import words

import comparisons
import odescent
from discrete.catalogue import METHODS
from flows.catalogue import FLOWS

# The example of the design, with None where it allows either a number or null.
LAYOUT = {
    "problem": "digits-mlp",
    "method": {"name": "gradient-descent", "learning_rate": 0.02},
    "steps": 2000,
    "status": "completed",
    "stability": {"threshold": 100.0, "first_step_above": None, "fraction_above": 0.61},
    "discrete": {
        "loss": {"initial": 1.1, "final": 0.03},
        "sharpness": {"initial": 12.0, "final": 100.9, "max": 104.2},
    },
    "flows": {
        "gradient": {
            "order": 1,
            "status": "completed",
            "distance": {"final": 0.8, "max": 0.8, "at_threshold": None},
            "relative_distance": {"final": 0.1, "max": 0.1},
            "loss_gap": {"final": 0.01, "max": 0.02},
            "sharpness": {"initial": 12.0, "final": 140.0, "max": 141.0},
        }
    },
    "cost": {
        "discrete": {"gradients": 2000, "hessian_products": 5400, "seconds": 3.1},
        "flows": {"gradient": {"gradients": 0, "hessian_products": 0, "seconds": 0.0}},
    },
}


def missing(expected, found, where="summary") -> list[str]:
    """Keys of the layout that are absent, or whose value is of another type."""
    if expected is None:
        return [] if found is None or isinstance(found, int | float) else [where]
    if not isinstance(expected, dict):
        return [] if type(found) is type(expected) else [f"{where}: {found!r}"]
    absent = [f"{where}.{key}" for key in expected if key not in found]
    return absent + [
        line for key in expected if key in found for line in missing(expected[key], found[key], f"{where}.{key}")
    ]


def test_the_json_has_every_key_of_the_layout_with_its_type(capsys):
    assert odescent.main(words("--json", top="2", problem="deep-linear", width="3", depth="2")) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert missing(LAYOUT, json.loads(captured.out)) == []


def test_the_test_of_the_layout_sees_a_missing_key_and_a_wrong_type():
    assert missing({"a": {"b": 1.0}, "c": 2}, {"a": {}, "c": "2"}) == ["summary.a.b", "summary.c: '2'"]


def test_every_printed_path_exists_and_no_other_file_does(tmp_path, capsys):
    out = tmp_path / "a folder with spaces" / "run"
    assert odescent.main([*words(), "--out", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {Path(line.removeprefix("wrote ")) for line in lines if line.startswith("wrote ")} == set(out.iterdir())
    assert {path.name for path in out.iterdir()} == {
        "comparison.nc", "summary.json", "figure.png", "figure.svg", "config.json",
    }  # fmt: skip


def test_json_is_the_summary_on_disk_and_nothing_else(tmp_path, capsys):
    assert odescent.main(words("--json", out=tmp_path / "run")) == 0
    assert json.loads(capsys.readouterr().out) == json.loads((tmp_path / "run" / "summary.json").read_text())


def test_resuming_a_finished_run_prints_it_again(tmp_path, capsys):
    assert odescent.main(words("--json", out=tmp_path / "run")) == 0
    first = capsys.readouterr().out
    assert odescent.main(words("--json", "--resume", out=tmp_path / "run")) == 0
    assert capsys.readouterr().out == first


def test_float32_is_kept_throughout_and_solved_as_far_as_it_reaches(tmp_path, capsys):
    assert odescent.main(words("--json", precision="float32", out=tmp_path / "single")) == 0
    single = json.loads(capsys.readouterr().out)
    assert odescent.main(words("--json")) == 0
    double = json.loads(capsys.readouterr().out)
    assert single["flows"]["gradient"]["status"] == "completed"
    assert single["discrete"]["loss"]["final"] == pytest.approx(double["discrete"]["loss"]["final"], rel=1e-5)
    assert single["discrete"]["loss"]["final"] == float(np.float32(single["discrete"]["loss"]["final"]))
    # At the tolerance of float64 the solver would creep.
    assert single["cost"]["flows"]["gradient"]["solver_steps"] <= double["cost"]["flows"]["gradient"]["solver_steps"]
    config = json.loads((tmp_path / "single" / "config.json").read_text())
    assert config["arguments"]["precision"] == config["provenance"]["precision"] == "float32"


def test_a_method_may_be_run_without_flows(tmp_path, capsys):
    assert odescent.main(words("--flows", flows=None, out=tmp_path / "run")) == 0
    assert comparisons.load(tmp_path / "run" / "comparison.nc").flows == {}
    assert "gradient descent" in capsys.readouterr().out.replace("-", " ")


def test_one_step_is_a_run(capsys):
    assert odescent.main(words("--json", steps="1")) == 0
    assert json.loads(capsys.readouterr().out)["steps"] == 1


def test_more_eigenvalues_than_parameters_are_as_many_as_there_are(tmp_path, capsys):
    assert odescent.main(words(top="9", out=tmp_path / "run")) == 0
    assert comparisons.load(tmp_path / "run" / "comparison.nc").discrete.observations["sharpness"].shape == (41, 2)
    capsys.readouterr()


def test_what_the_configuration_holds_runs_again_to_the_same_numbers(tmp_path, capsys):
    assert odescent.main(words(out=tmp_path / "one")) == 0
    arguments = json.loads((tmp_path / "one" / "config.json").read_text())["arguments"]
    given = {key: value for key, value in arguments.items() if value is not None}
    spelled = {key: " ".join(value) if isinstance(value, list) else str(value) for key, value in given.items()}
    assert odescent.main(words(out=tmp_path / "two", **spelled)) == 0
    one, two = (comparisons.load(tmp_path / name / "comparison.nc") for name in ("one", "two"))
    np.testing.assert_array_equal(one.divergence["gradient"].distance, two.divergence["gradient"].distance)
    capsys.readouterr()


@pytest.mark.parametrize("command", [[], ["compare"], ["figures"], ["problems"]])
def test_every_command_has_help(command):
    done = subprocess.run([sys.executable, "-m", "odescent", *command, "--help"], capture_output=True, check=False)
    assert done.returncode == 0
    assert b"usage: odescent" in done.stdout
    assert done.stderr == b""


def test_bad_input_is_refused_as_one_line_by_the_installed_command_too():
    command = [sys.executable, "-m", "odescent", *words(problem="two-valleyz")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("odescent: --problem 'two-valleyz' is unknown; did you mean two-valleys")
    assert done.stderr.count("\n") == 1


def test_the_help_of_compare_names_every_method_and_every_flow():
    done = subprocess.run([sys.executable, "-m", "odescent", "compare", "--help"], capture_output=True, check=True)
    words_said = set(done.stdout.decode().replace(",", " ").replace("│", " ").replace(".", " ").split())
    assert words_said >= METHODS.keys() | FLOWS.keys()
