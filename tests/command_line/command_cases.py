"""One small command, changed by the tests where they need it; all of them share its compilations."""

import subprocess
import sys
from pathlib import Path

from comparisons.console import experiment

OPTIONS = {
    "--problem": "two-valleys",
    "--method": "gradient-descent",
    "--learning-rate": "0.1",
    "--steps": "40",
    "--every": "1",
    "--top": "0",
    "--flows": "gradient",
}


def words(*more: str, out: Path | None = None, **changes: str | None) -> list[str]:
    """The words of the command; learning_rate="2" changes an option, problem=None leaves it out."""
    options = OPTIONS | {f"--{name.replace('_', '-')}": value for name, value in changes.items()}
    if out is not None:
        options["--out"] = str(out)
    given = [word for option, value in options.items() if value is not None for word in (option, *value.split())]
    return ["compare", *given, *more]


def ran_without(modules: set[str], *lines: list[str], status: int = 0) -> subprocess.CompletedProcess[str]:
    """Command lines in a process of its own, all of which end with the status and none of which imports the modules."""
    check = f"""
import sys, odescent
for line in {lines!r}:
    try:
        found = odescent.main(line)
    except SystemExit as stop:
        found = stop.code
    assert found == {status}, line
assert not {modules!r} & sys.modules.keys()
"""
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


def press_ctrl_c(monkeypatch, at_call: int = 2) -> None:
    """Make the next comparison be interrupted when it shows its progress for the n-th time."""
    calls = []

    class Bar:
        def __enter__(self):
            return self.show

        def __exit__(self, *raised):
            return False

        def show(self, done: int, steps: int) -> None:
            calls.append(done)
            if len(calls) == at_call:
                raise KeyboardInterrupt

    monkeypatch.setattr(experiment, "progress_bar", lambda **settings: Bar())
