"""A run folder: what `odescent compare` leaves on disk, and the rules for starting in one.

config.json makes a folder ours: it is written first and never removed. While an old run makes room for a new one, the
new config.json says so, and until it no longer does, what else lies there counts for nothing. So wherever a run is
killed, the same command with --resume or --overwrite goes on, or without either where nothing had begun.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..clock import spent_on
from ..comparison import Comparison
from ..plot import save_figure
from .exclusive import hold
from .record import discard, is_unfinished
from .stored_json import read_json
from .whole_file import expanded, telling, unfinished_name, write_atomically

CONFIG, SUMMARY, COMPARISON, FIGURE, PROGRESS = "config.json", "summary.json", "comparison.nc", "figure", "progress"
RESULTS = (CONFIG, SUMMARY, COMPARISON, f"{FIGURE}.png", f"{FIGURE}.svg")
REPLACING = "replacing"
_PLAIN = (str, float, bool, None, [(str, float, bool)])
_SHAPE = {"arguments": {...: _PLAIN}, ...: object}
# Nobody else's config.json has all of these.
_OWN_SHAPE = {
    "command": str,
    "arguments": {"problem": str, "method": str, "learning_rate": float, "steps": float, ...: _PLAIN},
    "provenance": {...: str},
    ...: object,
}
_SAFE = "what was computed is safe; when there is room again, the same command with --resume goes on"


class RunFolder:
    """<out>/comparison.nc, summary.json, figure.png, figure.svg, config.json; progress/ while the run is unfinished."""

    def __init__(self, path: str | Path):
        self.path = expanded(path, "out")

    @property
    def progress(self) -> Path:
        """Where finished blocks of an unfinished run lie."""
        return self.path / PROGRESS

    @property
    def is_finished(self) -> bool:
        """Whether a run ended here."""
        return (self.path / SUMMARY).exists() and not is_unfinished(self.progress) and not self._is_replacing()

    @property
    def can_continue(self) -> bool:
        """Whether a run has begun here of which something may be kept."""
        return is_unfinished(self.progress) and not self._is_replacing()

    def check(self, arguments: dict[str, Any], *, resume: bool, overwrite: bool) -> None:
        """ValueError, before anything is touched, unless a run with these arguments may start or continue here."""
        _check_writable(self.path)
        if resume:
            self._check_same(arguments)
        elif self.path.exists() and any(not self._is_leftover(path) for path in self.path.iterdir()):
            if not overwrite:
                raise ValueError(f"`out` {self.path} exists; pass --resume to continue it, --overwrite to replace it.")
            self._check_own()

    def argument(self, name: str) -> Any:
        """What the run here was given by that name; None where there is no run, or it was not."""
        return self.config()["arguments"].get(name) if (self.path / CONFIG).exists() else None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Make the folder, and keep other runs out of it meanwhile; ValueError where one is in it."""
        make_folder(self.path)
        held = hold(self.path, "out")
        try:
            yield
        finally:
            if held:
                held.release()

    def begin(self, config: dict[str, Any]) -> None:
        """Write down what is needed to run again, and empty the folder of an earlier run."""
        make_folder(self.path)
        old = [path for path in self.path.iterdir() if path.name in (*RESULTS[1:], PROGRESS) or self._is_leftover(path)]
        if old:
            self._write_config(config | {REPLACING: True})
            for path in old:
                if path.name != PROGRESS:
                    path.unlink(missing_ok=True)
            discard(self.progress)
        self._write_config(config)

    def finish(self, comparison: Comparison, *, keep_progress: bool) -> None:
        """Write the results; the progress goes unless the run was interrupted."""
        with telling(_SAFE):
            with spent_on("storage"):
                comparison.save(self.path / COMPARISON)
            with spent_on("drawing"):
                save_figure(comparison.plot(), self.path / FIGURE)
            summary = json.dumps(comparison.summary(), indent=1, allow_nan=False)
            write_atomically(self.path / SUMMARY, summary.encode())
        if not keep_progress:
            discard(self.progress)
        self.tidy()

    def tidy(self) -> None:
        """Remove what a kill may leave: files about to be written, and of a finished run's progress what still lies."""
        if not is_unfinished(self.progress):
            discard(self.progress)
        for path in self.path.iterdir():
            if self._is_leftover(path):
                path.unlink(missing_ok=True)

    def written(self) -> list[Path]:
        """The results that are there."""
        return [self.path / name for name in RESULTS if (self.path / name).exists()]

    def config(self) -> dict[str, Any]:
        """What `begin` wrote down; ValueError if it is something else."""
        return self._config(_SHAPE)

    def _config(self, shape: Any) -> dict[str, Any]:
        try:
            return read_json(self.path / CONFIG, shape, remedy="choose another --out")
        except ValueError as error:
            raise ValueError(f"`out` {self.path} is no run folder: {error}") from error

    def _write_config(self, config: dict[str, Any]) -> None:
        write_atomically(self.path / CONFIG, json.dumps(config, indent=1).encode())

    def _is_replacing(self) -> bool:
        return (self.path / CONFIG).exists() and bool(self.config().get(REPLACING))

    def _is_leftover(self, path: Path) -> bool:
        """Whether it is a file that a killed run was about to write, or a link that was laid where it would."""
        return unfinished_name(path.name) in RESULTS and (path.is_symlink() or path.is_file())

    def _check_own(self) -> None:
        if not (self.path / CONFIG).exists():
            raise ValueError(f"`out` {self.path} is no run folder (it has no {CONFIG}) and is not overwritten.")
        if self._config(_OWN_SHAPE)["command"] != "compare":
            raise ValueError(f"`out` {self.path} is no run folder: its {CONFIG} is of another command.")

    def _check_same(self, arguments: dict[str, Any]) -> None:
        if not (self.path / CONFIG).exists():
            raise ValueError(f"`resume` needs a run folder, and {self.path} has no {CONFIG}; start without --resume.")
        before = self.config()["arguments"]
        for key, value in json.loads(json.dumps(arguments)).items():
            if before.get(key) != value:
                raise ValueError(
                    f"`{key}` is {value!r}, but the run in {self.path} has {before.get(key)!r}; "
                    "resume it with the same arguments or choose another --out."
                )


def make_folder(path: Path) -> None:
    """Make a folder with its parents; ValueError naming `out` where the system refuses."""
    _check_writable(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"`out` {path} cannot be made: {error.strerror}.") from error


def _check_writable(path: Path) -> None:
    """ValueError unless the folder can be made and written; makes nothing."""
    existing = next(p for p in (path.absolute(), *path.absolute().parents) if p.exists())
    if not existing.is_dir():
        raise ValueError(f"`out` {path} cannot be made: {existing} is a file.")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise ValueError(f"`out` {path} cannot be written: no permission in {existing}.")
