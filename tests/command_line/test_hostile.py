"""The short form of the hostile round: kills, full disks and malformed calls, in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

HARNESS = Path(__file__).parents[2] / "benchmarks" / "hostile.py"


@pytest.mark.slow
def test_no_folder_is_stuck_and_no_call_is_answered_by_a_traceback():
    done = subprocess.run([sys.executable, HARNESS, "--quick"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    kills, full_disks, calls = [int(line.split()[0]) for line in done.stdout.splitlines()]
    assert kills > 40 and full_disks >= 8 and calls > 40
