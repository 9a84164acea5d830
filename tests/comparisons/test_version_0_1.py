"""Run folders that version 0.1 wrote: a finished one loads, an unfinished one is refused with the version named."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import comparisons
import odescent

FOLDERS = Path(__file__).with_name("version_0_1")
COMMAND = (
    "compare --problem two-valleys --method heavy-ball --learning-rate 0.02 --momentum 0.5 --steps {steps} --every 10 "
    "--flows gradient modified-2 central --out"
)


def test_a_finished_comparison_loads_with_everything_that_was_in_it():
    found = comparisons.load(FOLDERS / "finished" / "comparison.nc")
    then = json.loads((FOLDERS / "finished" / "summary.json").read_text())
    now = found.summary()
    assert found.status.kind == "completed" and list(found.flows) == ["gradient", "modified-2", "central"]
    for part in ("problem", "method", "steps", "status", "stability", "discrete", "flows"):
        assert now[part] == then[part], part
    assert {name: column.role for name, column in found.discrete.columns.items() if column.role != "value"} == {
        "sharpness_residual": "diagnostic",
        "sharpness_hessian_products": "cost",
    }
    assert found.to_dataset()["sharpness"].attrs["units"] == "loss / params^2"


def test_what_an_interrupted_run_had_loads_too():
    found = comparisons.load(FOLDERS / "unfinished" / "comparison.nc")
    assert found.interrupted and found.status.step == 70
    np.testing.assert_array_equal(found.steps, np.arange(0, 80, 10))


def test_a_finished_folder_is_finished_for_resume(tmp_path, capsys):
    folder = shutil.copytree(FOLDERS / "finished", tmp_path / "run")
    assert odescent.main([*COMMAND.format(steps=40).split(), str(folder), "--resume"]) == 0
    assert "is finished already" in capsys.readouterr().err


def test_an_unfinished_run_is_refused_with_its_version(tmp_path, capsys):
    folder = shutil.copytree(FOLDERS / "unfinished", tmp_path / "run")
    assert odescent.main([*COMMAND.format(steps=400).split(), str(folder), "--resume"]) == 2
    said = capsys.readouterr().err
    assert "begun by odescent 0.1" in said and len(said.splitlines()) == 1


@pytest.mark.slow
def test_an_unfinished_run_may_be_replaced(tmp_path, capsys):
    folder = shutil.copytree(FOLDERS / "unfinished", tmp_path / "run")
    words = COMMAND.format(steps=40).replace("gradient modified-2 central", "gradient").split()
    assert odescent.main([*words, str(folder), "--overwrite"]) == 0
    assert comparisons.load(folder / "comparison.nc").status == "completed"
    capsys.readouterr()
