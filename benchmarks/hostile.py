"""Hostile use of the command line: kills at every file operation, full disks, malformed calls.

    python benchmarks/hostile.py [--quick] [--disk FOLDER]

What is computed is a stand-in; what is written, and how it is refused, is the real thing. A kill is an exception that
an audit hook raises before the n-th file operation in the run folder, and before all that follow, so that no handler
can tidy up. A full disk is the system's own limit on the size of files or, with --disk, a small file system of its own
(mount -t tmpfs -o size=1m tmpfs FOLDER) that is filled up to so many bytes. Exit status 1, and a line each, for

- a folder in which neither the command, nor --resume, nor --overwrite goes on, or in which something finished is lost,
- files left over, numbers of another run, a traceback, a warning, a complaint of other than one line.
"""

import argparse
import contextlib
import dataclasses
import importlib
import io
import itertools
import json
import resource
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import jax
import numpy as np
from malformed import malformed

import comparisons
import discrete
import odescent
from comparisons.console import experiment
from comparisons.storage.record import Record
from discrete.running.march import Marched

jax.config.update("jax_enable_x64", True)

OPERATIONS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir"}
FILES = {"comparison.nc", "summary.json", "figure.png", "figure.svg", "config.json"}
BLOCKS = 2
BLOCK = 4096  # bytes, the unit in which a file system gives room
OLD, NEW = "0.1", "0.2"
faults: list[str] = []


class Killed(BaseException):
    """The process is gone."""


class Guillotine:
    """Counts file operations in a folder and kills at the n-th; an unfinished file is then torn in half."""

    def __init__(self) -> None:
        self.folder, self.left, self.dead, self.count = None, None, False, 0
        sys.addaudithook(self._before)

    @contextlib.contextmanager
    def over(self, folder: Path, at: int | None) -> Iterator[None]:
        self.folder, self.left, self.dead, self.count = str(folder), at, False, 0
        try:
            yield
        except Killed:
            pass
        finally:
            self.folder = None
            if self.dead:
                for path in folder.rglob(".*.part"):
                    with path.open("r+b") as file:
                        file.truncate(path.stat().st_size // 2)

    def _before(self, event: str, arguments: tuple) -> None:
        if self.folder is None or event not in OPERATIONS or not str(arguments[0]).startswith(self.folder):
            return
        self.count += 1
        if self.dead or self.count == self.left:
            self.dead = True
            raise Killed


def stood_in(whole: comparisons.Comparison) -> Callable:
    """What `compare` does to the folder, with the numbers of one small comparison in the place of others."""

    def compare(*, learning_rate, folder=None, resume=False, **_):
        shapes = {"discrete": {"loss": jax.ShapeDtypeStruct((), np.float64)}}
        so_far = Marched({"discrete": np.zeros(3)}, {"discrete": 0}, {"discrete": 0.0}, [])
        record = None
        if folder is not None:
            record = Record(folder, {"learning_rate": learning_rate}, resume=resume)
            so_far = record.read(so_far, shapes) if resume else so_far
        while so_far.done < BLOCKS:
            done = so_far.done + 1
            part = {"discrete": {"loss": np.full(1, learning_rate * done)}}
            carries = {"discrete": np.asarray(so_far.carries["discrete"]) + learning_rate}
            so_far = Marched(carries, {"discrete": done}, {"discrete": 0.0}, [*so_far.parts, part], done)
            if record:
                record.write(so_far)
        losses = np.concatenate([part["discrete"]["loss"] for part in so_far.parts])
        assert np.array_equal(losses, learning_rate * np.arange(1, BLOCKS + 1)), losses
        return dataclasses.replace(whole, method={"name": "gradient-descent", "learning_rate": learning_rate})

    return compare


def nothing(*_, **__) -> None:
    """In the place of what prints."""


def small_figure(_):
    from matplotlib.figure import Figure

    return Figure(figsize=(0.5, 0.5))


@contextlib.contextmanager
def patched(*changes: tuple[object, str, object]) -> Iterator[None]:
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in changes]
    try:
        for owner, name, value in changes:
            setattr(owner, name, value)
        yield
    finally:
        for owner, name, value in before:
            setattr(owner, name, value)


def called(words: list[str]) -> tuple[int | str, str, str]:
    """Exit status (or the exception that came through), standard output and standard error."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            status = odescent.main(words)
        except Exception as error:
            status = f"{type(error).__name__}: {error}"
    return status, out.getvalue(), err.getvalue()


def command(out: Path, learning_rate: str, *more: str) -> list[str]:
    words = "compare --problem two-valleys --method gradient-descent --steps 40 --flows gradient --learning-rate"
    return [*words.split(), learning_rate, "--out", str(out), *more]


def is_run(out: Path, learning_rate: str) -> bool:
    """Whether the folder holds just the finished run of that learning rate."""
    try:
        found = [json.loads((out / name).read_text()) for name in ("config.json", "summary.json")]
        rates = [found[0]["arguments"]["learning_rate"], found[1]["method"]["learning_rate"]]
        rates.append(comparisons.load(out / "comparison.nc").method["learning_rate"])
    except (OSError, ValueError, KeyError):
        return False
    return rates == [float(learning_rate)] * 3 and {path.name for path in out.iterdir()} == FILES


def goes_on(out: Path, what: str, learning_rate: str, options: list[list[str]]) -> None:
    """One of the ways on has to end in the whole run; the others say in one line why not."""
    for more in options:
        status, _, said = called(command(out, learning_rate, *more))
        if status == 0:
            if not is_run(out, learning_rate):
                faults.append(f"{what}: {more} ended with {sorted(path.name for path in out.rglob('*'))}")
            return
        if status != 2 or said.count("\n") != 1:
            faults.append(f"{what}: {more} gave {status}: {said!r}")
    faults.append(f"{what}: stuck, with {sorted(str(p.relative_to(out)) for p in out.rglob('*'))}")


def prepared(out: Path, what: str) -> None:
    """A folder with a finished run, an unfinished one, or none; made once, then copied."""
    kept = out.parent / what
    if not kept.exists() and what != "none":
        at = 100
        while not kept.exists() or (what == "unfinished" and (kept / "summary.json").exists()):
            shutil.rmtree(kept, ignore_errors=True)
            at -= 1
            with guillotine.over(kept, None if what == "finished" else at):
                called(command(kept, OLD))
        assert what == "finished" or (kept / "progress" / "state.npz").exists()
    shutil.rmtree(out, ignore_errors=True)
    if what != "none":
        shutil.copytree(kept, out)


SCENARIOS = {
    "a start": ("none", NEW, [], [[], ["--resume"]]),
    "--resume": ("unfinished", OLD, ["--resume"], [["--resume"]]),
    "--resume of a finished run": ("finished", OLD, ["--resume"], [["--resume"]]),
    "--overwrite of a finished run": ("finished", NEW, ["--overwrite"], [["--overwrite"]]),
    "--overwrite of a finished run, then --resume": ("finished", NEW, ["--overwrite"], [["--resume"], ["--overwrite"]]),
    "--overwrite of an unfinished run": ("unfinished", NEW, ["--overwrite"], [["--resume"], ["--overwrite"]]),
}


def kills(out: Path, stride: int) -> int:
    """Kill every scenario before each of its file operations (every stride-th); how many kills."""
    done = 0
    for name, (before, learning_rate, more, ways_on) in SCENARIOS.items():
        for at in itertools.count(1, stride):
            prepared(out, before)
            with guillotine.over(out, at):
                called(command(out, learning_rate, *more))
            if not guillotine.dead:
                break
            done += 1
            what = f"{name} killed at operation {at}"
            began = (out / "config.json").exists() and json.loads((out / "config.json").read_text())["arguments"]
            is_old = not began or began["learning_rate"] == float(OLD)
            if before == "finished" and is_old and not is_run_beside_leftovers(out):
                faults.append(f"{what}: the old run is damaged before the new one has begun")
            goes_on(out, what, learning_rate, ways_on)
    return done


def is_run_beside_leftovers(out: Path) -> bool:
    for path in out.glob(".*.part"):
        path.rename(out.parent / path.name)
    return is_run(out, OLD)


def full_disks(out: Path, sizes: Iterable[int], limited: Callable[[int], AbstractContextManager]) -> int:
    """No room beyond each of the sizes: one line that names the file, and with room again it goes on."""
    refused = 0
    for before, more in (("none", []), ("finished", ["--overwrite"])):
        for size in sizes:
            prepared(out, before)
            with limited(size):
                status, _, said = called(command(out, NEW, *more))
            what = f"a disk full at {size} bytes, {more}"
            if status == 0:
                continue
            refused += 1
            if status != 2 or said.count("\n") != 1 or str(out) not in said:
                faults.append(f"{what}: {status}: {said!r}")
            if [path for path in out.rglob("*") if path.name.endswith(".part")]:
                faults.append(f"{what}: left {sorted(path.name for path in out.rglob('*'))}")
            goes_on(out, what, NEW, [[], ["--resume"], ["--overwrite"]])
    return refused


@contextlib.contextmanager
def small_files(size: int) -> Iterator[None]:
    """No file grows beyond the size."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def filled(disk: Path) -> Callable[[int], AbstractContextManager]:
    """The file system of a folder, filled up to so many bytes."""

    @contextlib.contextmanager
    def limited(size: int) -> Iterator[None]:
        ballast = disk / "ballast"
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            while shutil.disk_usage(disk).free > size:
                file.write(bytes(min(BLOCK, shutil.disk_usage(disk).free - size)))
        try:
            yield
        finally:
            ballast.unlink()

    return limited


def malformed_calls(out: Path, stride: int) -> int:
    """Every call is done or refused in one line, without a warning, and a refused one leaves nothing behind."""
    done, files = 0, out.parent / "files"
    files.mkdir(parents=True)
    for words in itertools.islice(malformed(files), 0, None, stride):
        shutil.rmtree(out, ignore_errors=True)
        begin = time.perf_counter()
        status, printed, said = called([*words, "--out", str(out)] if words[0] == "compare" else words)
        seconds = time.perf_counter() - begin
        done += 1
        what = " ".join(word[:60] for word in words)
        complaint = said.startswith("odescent: ") and said.count("\n") == 1 and len(said) < 1000 and not printed
        if status not in (0, 2) or (status == 2 and not complaint):
            faults.append(f"{what}: {status}: {said[:300]!r}")
        if status == 2 and out.exists():
            faults.append(f"{what}: refused, but {out} was made")
        if seconds > 60:
            faults.append(f"{what}: took {seconds:.0f} s")
    return done


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="a part of it, in some twenty seconds")
    parser.add_argument("--disk", type=Path, help="a small file system to fill")
    given = parser.parse_args()
    quick, disk = given.quick, given.disk
    loss, start = (lambda x: 0.5 * x @ x), np.ones(2)
    whole = comparisons.compare(discrete.GradientDescent(0.1), {}, loss, jax.numpy.asarray(start), steps=2)
    silent = contextlib.nullcontext(nothing)
    folder_logic = [
        (experiment, "_plan", lambda arguments: {"learning_rate": arguments["learning_rate"]}),
        (experiment, "_warn", nothing),
        (experiment, "_tell", nothing),
        (experiment, "provenance", dict),
        (experiment, "progress_bar", lambda **_: silent),
        (experiment, "compare", stood_in(whole)),
        (importlib.import_module("comparisons.plot"), "plot", small_figure),
    ]
    plans = [
        *folder_logic[2:5],
        (experiment, "compare", lambda **_: whole),
    ]
    with tempfile.TemporaryDirectory(dir=disk) as parent:
        out = Path(parent, "there", "run")
        with patched(*folder_logic):
            told("kills", lambda: kills(out, 4 if quick else 1))
            sizes = [0, 100, 700, 1500, 5000] if quick else [0, 1, *range(50, 1000, 50), *range(1000, 30000, 500)]
            full = (range(0, 25 * BLOCK, BLOCK), filled(disk)) if disk else (sizes, small_files)
            told("writes on a full disk refused", lambda: full_disks(out, *full))
        with patched(*plans, folder_logic[-1]):
            told("malformed calls", lambda: malformed_calls(out, 20 if quick else 1))
    return int(bool(faults))


def told(what: str, count: Callable[[], int]) -> None:
    begin, before = time.perf_counter(), len(faults)
    number = count()
    found = faults[before:]
    print(f"{number} {what} in {time.perf_counter() - begin:.1f} s, {len(found)} faults", *found, sep="\n", flush=True)


guillotine = Guillotine()

if __name__ == "__main__":
    sys.exit(main())
