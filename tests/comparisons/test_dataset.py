"""A comparison as named arrays, and on disk."""

import importlib.metadata
import json
import os

import numpy as np
import pytest
import xarray as xr
from comparison_cases import STEPS, alone, assert_same, bare, compared, crossing, diverged, left_behind, usual

import comparisons
from comparisons.storage.dataset import APART
from comparisons.storage.provenance import provenance


@pytest.fixture
def data() -> xr.Dataset:
    return usual().to_dataset()


def test_every_variable_names_its_dimensions(data):
    expected = {
        "samples": ("side",),
        "time": ("side", "step"),
        "loss": ("side", "step"),
        "sharpness": ("side", "step", "sharpness_index"),
        "distance": ("flow", "step"),
        "along": ("flow", "step", "along_index"),
        "gap_sharpness": ("flow", "step", "gap_sharpness_index"),
    }
    assert {name: data[name].dims for name in expected} == expected


def test_the_coordinates_are_steps_sides_and_flows(data):
    assert data["step"].values.tolist() == list(range(STEPS + 1))
    assert data["side"].values.tolist() == ["discrete", "gradient flow", "modified"]
    assert data["flow"].values.tolist() == ["gradient flow", "modified"]


def test_measurements_have_units_and_distances_a_meaning(data):
    for name in (*APART, "loss", "sharpness", "gradient_norm", "gap_loss", "gap_sharpness", "time"):
        assert data[name].attrs["units"], name
    for name in APART:
        assert data[name].attrs["long_name"], name


def test_rows_are_where_their_names_say(data):
    flow = usual().flows["modified"]
    np.testing.assert_array_equal(data["loss"].sel(side="modified"), flow.observations["loss"])
    np.testing.assert_array_equal(data["distance"].sel(flow="modified"), usual().divergence["modified"].distance)
    second = data["sharpness"].sel(side="discrete").isel(sharpness_index=1)
    np.testing.assert_array_equal(second, usual().discrete.observations["sharpness"][:, 1])


def test_a_flow_left_behind_is_nan_from_there_on_and_short_again_when_read(tmp_path):
    data, whole = left_behind().to_dataset(), left_behind()
    samples = len(whole.flows["hasty"].steps)
    assert int(data["samples"].sel(side="hasty")) == samples < STEPS
    for name in ("loss", "distance", "function_distance", "gap_loss"):
        rows = data[name].sel({"flow" if "flow" in data[name].dims else "side": "hasty"}).values
        assert np.all(np.isfinite(rows[:samples])) and np.all(np.isnan(rows[samples:])), name
    again = comparisons.load(whole.save(tmp_path / "c.nc"))
    assert len(again.flows["hasty"].steps) == len(again.divergence["hasty"].distance) == samples
    assert again.flows["hasty"].status == whole.flows["hasty"].status


@pytest.mark.parametrize("make", [usual, diverged, left_behind, bare, alone], ids=lambda make: make.__name__)
def test_what_is_read_is_what_was_saved(make, tmp_path):
    saved = make()
    again = comparisons.load(saved.save(tmp_path / "c.nc"))
    assert_same(again, saved)
    assert again.summary() == saved.summary()
    for name in ("problem", "method", "orders", "threshold", "provenance", "status"):
        assert getattr(again, name) == getattr(saved, name), name


def test_a_nan_that_was_measured_is_no_missing_sample(tmp_path):
    comparison = compared(flows={}, observe={"hole": lambda p: p["b"] / (p["b"] - p["b"])})
    again = comparisons.load(comparison.save(tmp_path / "c.nc"))
    assert again.discrete.observations["hole"].shape == (STEPS + 1,)
    assert comparison.summary()["discrete"]["hole"] == {"initial": None, "final": None, "max": None}


def test_the_summary_is_strict_json():
    numbers = json.dumps(usual().summary(), allow_nan=False)
    assert json.loads(numbers) == usual().summary()


def test_the_summary_says_where_the_method_crossed_its_threshold():
    limit = (2 + 2 * 0.5) / 0.86
    above = crossing().discrete.observations["sharpness"][:, 0] > limit
    first = int(np.argmax(above))
    assert first > 0 and above.any() and not above.all()
    stability = crossing().summary()["stability"]
    assert stability["threshold"] == pytest.approx(limit)
    assert stability["first_step_above"] == crossing().steps[first]
    assert stability["fraction_above"] == pytest.approx(above.mean())
    for name, apart in crossing().divergence.items():
        assert crossing().summary()["flows"][name]["distance"]["at_threshold"] == apart.distance[first]


def test_a_threshold_never_reached_has_no_step():
    assert usual().summary()["stability"]["first_step_above"] is None
    assert usual().summary()["flows"]["modified"]["distance"]["at_threshold"] is None


def test_without_sharpness_nothing_is_said_about_crossing():
    assert bare().sharpness() is None and bare().first_sample_above() is None
    stability = bare().summary()["stability"]
    assert stability["threshold"] == pytest.approx(30) and stability["fraction_above"] is None


def test_a_half_written_file_never_has_the_final_name(tmp_path, monkeypatch):
    def interrupted(descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        usual().save(tmp_path / "c.nc")
    assert not (tmp_path / "c.nc").exists()


@pytest.mark.parametrize("content", [None, b"", b"no netCDF at all"], ids=["missing", "empty", "text"])
def test_what_is_no_netcdf_file_is_refused(content, tmp_path):
    path = tmp_path / "c.nc"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r"`path` .*c\.nc"):
        comparisons.load(path)


def test_somebody_elses_netcdf_is_refused(tmp_path):
    xr.Dataset({"temperature": ("x", [1.0, 2.0])}).to_netcdf(tmp_path / "c.nc", engine="h5netcdf")
    with pytest.raises(ValueError, match="holds no comparison"):
        comparisons.load(tmp_path / "c.nc")


def test_a_source_tree_that_is_only_on_the_path_has_a_version_that_is_not_known(monkeypatch):
    monkeypatch.setattr(importlib.metadata, "version", _gone)
    found = provenance()
    assert found["odescent"] == found["jax"] == "unknown" and found["precision"] == "float64"


def _gone(name: str) -> str:
    raise importlib.metadata.PackageNotFoundError(name)
