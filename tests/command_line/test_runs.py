"""Good input: what is printed, what is written, and that a folder can be replaced or resumed."""

import json

import jax
import pytest
from command_cases import ran_without

import comparisons
import odescent

SHORT = [
    "compare",
    "--problem",
    "two-valleys",
    "--method",
    "heavy-ball",
    "--momentum",
    "0.5",
    "--learning-rate",
    "0.05",
    "--steps",
    "40",
    "--every",
    "10",
    "--flows",
    "gradient",
    "modified-2",
]


@pytest.fixture(autouse=True)
def same_precision():
    yield
    jax.config.update("jax_enable_x64", True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "demo"
    assert odescent.main([*SHORT, "--out", str(out)]) == 0
    return out


def test_help_comes_without_importing_jax():
    assert "compare" in ran_without({"jax"}, ["--help"]).stdout


def test_the_folder_holds_everything_and_the_paths_are_printed(tmp_path, capsys):
    out = tmp_path / "run"
    assert odescent.main([*SHORT, "--out", str(out)]) == 0
    names = {"comparison.nc", "summary.json", "figure.png", "figure.svg", "config.json"}
    assert {path.name for path in out.iterdir()} == names
    printed = capsys.readouterr().out.replace("\n", "")
    assert all(name in printed for name in names)


def test_json_prints_the_summary_alone_with_the_promised_layout(capsys):
    assert odescent.main([*SHORT, "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["method"] == {"name": "heavy-ball", "learning_rate": 0.05, "momentum": 0.5}
    assert summary["status"] == "completed"
    assert summary["stability"]["threshold"] == pytest.approx(60)
    assert set(summary["discrete"]["sharpness"]) == {"initial", "final", "max"}
    flow = summary["flows"]["modified-2"]
    assert flow["order"] == 2
    assert set(flow["distance"]) == {"final", "max", "at_threshold"}
    assert set(flow["relative_distance"]) == set(flow["loss_gap"]) == {"final", "max"}
    assert summary["cost"]["discrete"]["gradients"] == 40
    assert summary["cost"]["flows"]["modified-2"]["hessian_products"] > 40


def test_the_summary_on_disk_is_that_of_the_saved_comparison(folder):
    saved = json.loads((folder / "summary.json").read_text())
    assert saved == json.loads(json.dumps(comparisons.load(folder / "comparison.nc").summary()))


def test_the_configuration_is_enough_to_run_again(folder):
    config = json.loads((folder / "config.json").read_text())
    assert config["arguments"]["learning_rate"] == 0.05
    assert {"jax", "odescent", "git_revision", "precision"} <= set(config["provenance"])


def test_a_run_is_replaced_only_when_asked(folder, capsys):
    before = (folder / "comparison.nc").stat().st_mtime_ns
    assert odescent.main([*SHORT, "--out", str(folder)]) == 2
    assert (folder / "comparison.nc").stat().st_mtime_ns == before
    assert odescent.main([*SHORT, "--out", str(folder), "--overwrite"]) == 0
    assert (folder / "comparison.nc").stat().st_mtime_ns > before
    capsys.readouterr()


def test_resuming_a_finished_run_changes_nothing(folder, capsys):
    before = (folder / "comparison.nc").read_bytes()
    assert odescent.main([*SHORT, "--out", str(folder), "--resume"]) == 0
    assert (folder / "comparison.nc").read_bytes() == before
    assert "finished already" in capsys.readouterr().err


def test_resuming_with_another_setting_names_it(folder, capsys):
    changed = [word if word != "0.05" else "0.06" for word in SHORT]
    assert odescent.main([*changed, "--out", str(folder), "--resume"]) == 2
    assert "--learning-rate" in capsys.readouterr().err


def test_a_method_that_diverges_is_a_result(tmp_path, capsys):
    words = "compare --problem quadratic --method gradient-descent --learning-rate 2.5 --steps 2000 --flows gradient"
    assert odescent.main([*words.split(), "--out", str(tmp_path / "run")]) == 0
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["status"].startswith("diverged at step ")
    assert summary["flows"]["gradient"]["status"].startswith("stopped: the method diverged")
    assert (tmp_path / "run" / "figure.png").stat().st_size > 10_000
    capsys.readouterr()


def test_an_adaptive_method_is_tracked_and_drawn_by_its_effective_sharpness(tmp_path, capsys):
    words = (
        "compare --problem two-valleys --method rmsprop --beta2 0.9 --epsilon 0.01 --bias-correction True "
        "--learning-rate 0.02 --steps 20 --top 1 --flows edge-1"
    )
    assert odescent.main([*words.split(), "--out", str(tmp_path / "run")]) == 0
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["method"] == {
        "name": "rmsprop",
        "learning_rate": 0.02,
        "beta2": 0.9,
        "epsilon": 0.01,
        "bias_correction": True,
    }
    assert summary["stability"]["of"] == "effective_sharpness" and summary["stability"]["threshold"] == 100
    assert summary["flows"]["edge-1"]["effective_sharpness"]["initial"] > 0
    assert "effective sharpness, final" in capsys.readouterr().out


def test_problems_are_listed_with_their_settings(capsys):
    assert odescent.main(["problems"]) == 0
    printed = capsys.readouterr().out
    assert "digits-mlp" in printed
    assert "micro_batch" in printed
