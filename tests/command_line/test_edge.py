"""Models of the edge of stability from the command line."""

import json

import jax
import pytest

import comparisons
import odescent

NETWORK = ["--problem", "digits-mlp", "--widths", "6", "--examples", "40", "--every", "5", "--steps", "20"]


@pytest.fixture(autouse=True)
def same_precision():
    yield
    jax.config.update("jax_enable_x64", True)


@pytest.mark.slow
def test_models_are_compared_with_the_averaged_iterates_and_their_predictions_kept(tmp_path, capsys):
    out = tmp_path / "edge"
    models = ["--flows", "central", "edge-2"]
    method = ["--method", "gradient-descent", "--learning-rate", "0.1", "--time-averaged", "True"]
    assert odescent.main(["compare", *NETWORK, *method, *models, "--json", "--out", str(out)]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["method"]["name"] == "time-averaged" and summary["method"]["method"]["name"] == "gradient-descent"
    assert all(flow["status"] == "completed" for flow in summary["flows"].values())
    assert summary["cost"]["flows"]["central"]["gradients"] == 80
    found = comparisons.load(out / "comparison.nc")
    central, edge = (found.flows[name].predictions for name in ("central", "edge-2"))
    assert {"loss", "squared_gradient_norm", "variance"} <= central.keys() & edge.keys()
    assert central["variance"].shape == (5, 3) and central["residual"].max() < 1e-8


@pytest.mark.slow
def test_effective_sharpness_is_tracked_along_the_central_flow_of_rmsprop(capsys):
    method = ["--method", "rmsprop", "--learning-rate", "0.001", "--bias-correction", "True", "--time-averaged", "True"]
    assert odescent.main(["compare", *NETWORK, *method, "--flows", "central", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["flows"]["central"]["effective_sharpness"]["final"] == pytest.approx(
        summary["discrete"]["effective_sharpness"]["final"], rel=0.25
    )
    assert summary["stability"]["threshold"] == pytest.approx(2000)


def test_a_model_of_another_method_says_what_it_describes(capsys):
    wrong = ["--method", "midpoint", "--learning-rate", "0.1", "--flows", "central"]
    assert odescent.main(["compare", *NETWORK, *wrong]) == 2
    assert "CentralFlow describes GradientDescent" in capsys.readouterr().err
