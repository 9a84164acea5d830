"""Folders in which no run may start or continue: one line, exit status 2, and nothing in them is touched."""

import json
import os
import subprocess
import sys

import pytest
from command_cases import words

import odescent


@pytest.fixture
def refused(capsys):
    def check(line: list[str], *says: str) -> None:
        assert odescent.main(line) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.count("\n") == 1
        for part in says:
            assert part in captured.err, captured.err

    return check


@pytest.fixture
def finished(tmp_path, capsys):
    """A folder with what a finished run leaves, as far as starting in it is concerned."""
    out = tmp_path / "run"
    assert odescent.main(words(out=out)) == 0
    capsys.readouterr()
    return out


def test_an_existing_run_is_neither_replaced_nor_continued_unasked(finished, refused):
    refused(words(out=finished), "--out", "--resume", "--overwrite")


def test_resume_and_overwrite_exclude_each_other(finished, refused):
    refused(words("--resume", "--overwrite", out=finished), "--resume and --overwrite exclude each other")


@pytest.mark.parametrize("option", ["--resume", "--overwrite"])
def test_resume_and_overwrite_need_a_folder(option, refused):
    refused(words(option), f"{option} needs", "--out")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"learning_rate": "0.2"}, "--learning-rate is 0.2"),
        ({"steps": "80"}, "--steps is 80"),
        ({"every": "2"}, "--every is 2"),
        ({"flows": "modified-2"}, "--flows is ['modified-2']"),
        ({"top": "1"}, "--top is 1"),
        ({"problem": "rosenbrock"}, "--problem is 'rosenbrock'"),
        ({"method": "heavy-ball"}, "--method is 'heavy-ball'"),
        ({"rtol": "1e-6"}, "--rtol is 1e-06"),
        ({"seed": "1"}, "--seed is 1"),
        ({"precision": "float32"}, "--precision is 'float32'"),
        ({"start": "slow-manifold"}, "--start is 'slow-manifold'"),
    ],
)
def test_a_run_with_other_arguments_is_not_resumed(changes, named, tmp_path, refused):
    arguments = dict.fromkeys(["momentum", "seed", "rtol"]) | {
        "problem": "two-valleys", "method": "gradient-descent", "learning_rate": 0.1, "steps": 40, "every": 1,
        "top": 0, "flows": ["gradient"], "start": "rest", "solver": "explicit", "precision": "float64",
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps({"arguments": arguments}))
    refused(words("--resume", out=tmp_path, **changes), named, "resume it with the same arguments")
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


FOREIGN = [
    "", "[]", "null", "3", '"text"', "{}", '{"arguments": 3}', '{"arguments": {"steps": {"deep": 1}}}', "not json",
    '{"arguments": ' + "[" * 100_000, '{"arguments": {"steps": ' + "[" * 500 + "]" * 500 + "}}", '{"arguments": NaN}',
]  # fmt: skip


@pytest.mark.parametrize("content", FOREIGN)
def test_somebody_elses_configuration_is_no_run(content, tmp_path, refused):
    (tmp_path / "config.json").write_text(content)
    refused(words("--resume", out=tmp_path), "--out", "is no run folder")
    assert (tmp_path / "config.json").read_text() == content


@pytest.mark.parametrize("content", [*FOREIGN, '{"arguments": {}}', '{"command": "compare", "arguments": {}}'])
def test_a_folder_with_somebody_elses_configuration_is_not_overwritten(content, tmp_path, refused):
    (tmp_path / "config.json").write_text(content)
    (tmp_path / "summary.json").write_text("years")
    refused(words("--overwrite", out=tmp_path), "--out", "is no run folder")
    assert (tmp_path / "config.json").read_text() == content
    assert (tmp_path / "summary.json").read_text() == "years"


def test_what_is_not_the_runs_own_survives_its_replacement(finished, capsys):
    (finished / "notes.txt").write_text("mine")
    (finished / "progress").mkdir()
    (finished / "progress" / "notes.txt").write_text("mine too")
    assert odescent.main(words("--overwrite", out=finished)) == 0
    assert (finished / "notes.txt").read_text() == "mine"
    assert (finished / "progress" / "notes.txt").read_text() == "mine too"
    capsys.readouterr()


HOLDING = """
import sys
from pathlib import Path
from comparisons.storage.run_folder import RunFolder
with RunFolder(sys.argv[1]).held():
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("option", ["--resume", pytest.param("--overwrite", marks=pytest.mark.slow)])
def test_two_runs_in_one_folder_exclude_each_other_until_one_is_killed(option, finished, refused, capsys):
    before = {path.name: path.read_bytes() for path in finished.iterdir()}
    (finished / "summary.json").rename(finished.parent / "summary.json")
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(finished)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        refused(words(option, out=finished), "--out", "is in use by another run")
    finally:
        holder.kill()
        holder.communicate()
    assert {path.name: path.read_bytes() for path in finished.iterdir()} == {
        name: content for name, content in before.items() if name != "summary.json"
    }
    assert odescent.main(words(option, out=finished)) == 0
    assert (finished / "summary.json").exists()
    capsys.readouterr()


def test_home_is_where_a_shell_would_put_it(tmp_path, monkeypatch, capsys, refused):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert odescent.main(words(out="~/run")) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    capsys.readouterr()
    refused(words(out="~nobody-of-that-name/run"), "--out ~nobody-of-that-name/run names the home folder")
    refused(["compare", "--out", "", *words()[1:]], "--out is empty")


def test_a_folder_that_is_not_there_cannot_be_resumed(tmp_path, refused):
    refused(words("--resume", out=tmp_path / "run"), "--resume needs a run folder")
    assert not (tmp_path / "run").exists()


def test_somebody_elses_folder_is_not_overwritten(tmp_path, refused):
    (tmp_path / "thesis.tex").write_text("years")
    refused(words("--overwrite", out=tmp_path), "--out", "is no run folder")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("where", ["file", "file/run", "file/deep/run"])
@pytest.mark.parametrize("command", ["compare", "figures"])
def test_a_file_in_the_way_is_named(where, command, tmp_path, refused):
    (tmp_path / "file").write_text("")
    line = words(out=tmp_path / where) if command == "compare" else ["figures", "--out", str(tmp_path / where)]
    refused(line, "--out", f"{tmp_path / 'file'} is a file")


def test_a_folder_without_permission_is_refused_before_anything_runs(tmp_path, refused, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    refused(words(out=tmp_path / "run"), "--out", "cannot be written: no permission in")


def test_a_folder_that_the_system_will_not_make_is_refused(refused):
    refused(words(out="/proc/run"), "--out /proc/run cannot be made")


def test_an_empty_folder_is_as_good_as_none(tmp_path, capsys):
    assert odescent.main(words(out=tmp_path)) == 0
    assert (tmp_path / "summary.json").exists()
    capsys.readouterr()
