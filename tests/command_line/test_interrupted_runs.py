"""Ctrl-C at the command line: exit status 130, what is finished on disk, a word on how to go on, and going on."""

import json

import numpy as np
import pytest
from command_cases import press_ctrl_c, words

import comparisons
import odescent


@pytest.fixture
def interrupted(tmp_path, monkeypatch, capsys):
    """The folder of an interrupted run, and what was said about it."""
    out = tmp_path / "run"
    with monkeypatch.context() as context:
        press_ctrl_c(context)
        assert odescent.main(words(out=out)) == 130
    return out, capsys.readouterr()


def test_ctrl_c_keeps_what_is_finished_and_says_how_to_go_on(interrupted):
    out, said = interrupted
    assert said.err.startswith("stopped: interrupted after step ") and "--resume" in said.err
    kept = comparisons.load(out / "comparison.nc")
    assert 0 < kept.steps[-1] < 40 and kept.interrupted
    assert json.loads((out / "summary.json").read_text())["status"] == kept.status
    assert (out / "figure.png").exists() and (out / "progress").is_dir()


def test_resuming_gives_the_numbers_of_a_run_that_was_left_alone(interrupted, tmp_path, capsys):
    out, _ = interrupted
    assert odescent.main(words("--resume", out=out)) == 0
    assert odescent.main(words(out=tmp_path / "whole")) == 0
    resumed, whole = (comparisons.load(folder / "comparison.nc") for folder in (out, tmp_path / "whole"))
    np.testing.assert_array_equal(resumed.divergence["gradient"].distance, whole.divergence["gradient"].distance)
    np.testing.assert_array_equal(resumed.discrete.observations["loss"], whole.discrete.observations["loss"])
    assert not (out / "progress").exists() and resumed.status == "completed"
    capsys.readouterr()


def test_an_interrupted_run_may_be_given_up(interrupted, capsys):
    out, _ = interrupted
    assert odescent.main(words("--overwrite", out=out, learning_rate="0.05")) == 0
    assert comparisons.load(out / "comparison.nc").method["learning_rate"] == 0.05
    assert not (out / "progress").exists()
    capsys.readouterr()


def test_ctrl_c_before_the_first_sample_is_one_word(tmp_path, monkeypatch, capsys):
    def compiling(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr("comparisons.console.experiment.compare", compiling)
        assert odescent.main(words(out=tmp_path / "run")) == 130
    assert capsys.readouterr().err == "interrupted\n"
    assert odescent.main(words("--resume", out=tmp_path / "run")) == 0
    capsys.readouterr()


def test_without_a_folder_the_finished_part_is_printed(monkeypatch, capsys):
    press_ctrl_c(monkeypatch)
    assert odescent.main(words("--json")) == 130
    captured = capsys.readouterr()
    assert json.loads(captured.out)["status"].startswith("stopped: interrupted after step ")
