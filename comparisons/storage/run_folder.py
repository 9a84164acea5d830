"""A run folder: what `odescent compare` leaves on disk, and the rules for starting in one."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

from ..comparison import Comparison
from ..plot import save_figure
from .record import write_atomically

CONFIG, SUMMARY, COMPARISON, FIGURE, PROGRESS = "config.json", "summary.json", "comparison.nc", "figure", "progress"
RESULTS = (CONFIG, SUMMARY, COMPARISON, f"{FIGURE}.png", f"{FIGURE}.svg")


class RunFolder:
    """<out>/comparison.nc, summary.json, figure.png, figure.svg, config.json; progress/ while the run is unfinished."""

    def __init__(self, path: str | Path):
        self.path = Path(path)

    @property
    def progress(self) -> Path:
        """Where finished blocks of an unfinished run lie."""
        return self.path / PROGRESS

    @property
    def is_finished(self) -> bool:
        """Whether a run ended here."""
        return (self.path / SUMMARY).exists() and not self.progress.exists()

    def check(self, arguments: dict[str, Any], *, resume: bool, overwrite: bool) -> None:
        """ValueError, before anything is touched, unless a run with these arguments may start or continue here."""
        _check_writable(self.path)
        if resume:
            self._check_same(arguments)
        elif self.path.exists() and any(self.path.iterdir()):
            if not overwrite:
                raise ValueError(f"`out` {self.path} exists; pass --resume to continue it, --overwrite to replace it.")
            if not (self.path / CONFIG).exists():
                raise ValueError(f"`out` {self.path} is no run folder (it has no {CONFIG}) and is not overwritten.")

    def begin(self, config: dict[str, Any]) -> None:
        """Make the folder, empty it of an earlier run, and write down what is needed to run again."""
        make_folder(self.path)
        for name in RESULTS:
            (self.path / name).unlink(missing_ok=True)
        shutil.rmtree(self.progress, ignore_errors=True)
        write_atomically(self.path / CONFIG, json.dumps(config, indent=1).encode())

    def finish(self, comparison: Comparison, *, keep_progress: bool) -> None:
        """Write the results; the progress goes unless the run was interrupted."""
        comparison.save(self.path / COMPARISON)
        save_figure(comparison.plot(), self.path / FIGURE)
        write_atomically(self.path / SUMMARY, json.dumps(comparison.summary(), indent=1, allow_nan=False).encode())
        if not keep_progress:
            shutil.rmtree(self.progress, ignore_errors=True)

    def written(self) -> list[Path]:
        """The results that are there."""
        return [self.path / name for name in RESULTS if (self.path / name).exists()]

    def config(self) -> dict[str, Any]:
        """What `begin` wrote down."""
        return json.loads((self.path / CONFIG).read_text())

    def _check_same(self, arguments: dict[str, Any]) -> None:
        if not (self.path / CONFIG).exists():
            raise ValueError(f"`resume` needs a run folder, and {self.path} has no {CONFIG}; start without --resume.")
        try:
            before = dict(self.config()["arguments"])
        except (ValueError, KeyError, TypeError):
            raise ValueError(
                f"`out` {self.path} is no run folder: its {CONFIG} is not one of odescent compare."
            ) from None
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
