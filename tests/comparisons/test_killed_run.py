"""A run killed at random moments resumes to the same numbers, bit for bit."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

ARGUMENTS = [
    "compare",
    "--problem",
    "digits-mlp",
    "--widths",
    "8",
    "--examples",
    "100",
    "--method",
    "heavy-ball",
    "--momentum",
    "0.8",
    "--learning-rate",
    "0.05",
    "--steps",
    "6000",
    "--every",
    "4",
    "--top",
    "1",
    "--flows",
    "gradient",
]


def command(out: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "odescent", *ARGUMENTS, "--out", str(out), *more]


def run_to_the_end(out: Path, *more: str) -> None:
    done = subprocess.run(command(out, *more), capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr


def kill_after_a_block(out: Path, moment: float, *more: str) -> bool:
    """Start or resume, kill -9 some time after progress first shows; False if it finished before."""
    state = out / "progress" / "state.npz"
    before = state.stat().st_mtime_ns if state.exists() else None
    process = subprocess.Popen(command(out, *more), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not (state.exists() and state.stat().st_mtime_ns != before):
        time.sleep(0.005)
    time.sleep(moment)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return process.returncode == -signal.SIGKILL


def assert_same_observations(one: Path, other: Path) -> None:
    with xr.open_dataset(one / "comparison.nc") as a, xr.open_dataset(other / "comparison.nc") as b:
        assert set(a) == set(b)
        for name in a:
            np.testing.assert_array_equal(a[name].values, b[name].values, err_msg=str(name))


def check(tmp_path: Path, kills: int, seed: int) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    run_to_the_end(whole)
    moments = random.Random(seed)
    done = sum(kill_after_a_block(killed, moments.uniform(0, 0.4), *(["--resume"] * (i > 0))) for i in range(kills))
    assert done == kills, "the run is too short to be killed that often"
    run_to_the_end(killed, "--resume")
    assert_same_observations(whole, killed)
    assert not (killed / "progress").exists()


@pytest.mark.slow
def test_a_run_killed_twice_resumes_to_the_same_numbers(tmp_path):
    check(tmp_path, kills=2, seed=1)


@pytest.mark.slow
def test_a_run_killed_ten_times_resumes_to_the_same_numbers(tmp_path):
    check(tmp_path, kills=10, seed=2)
