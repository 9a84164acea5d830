"""Compute the data of papers: one after the other, or several at once, each in a process of its own."""

import importlib
import multiprocessing
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path
from typing import Any, NamedTuple

import jax

from landscapes.compilation_cache import SETTINGS as CACHE
from landscapes.processors import processors


class Computed(NamedTuple):
    """paths: the data files.  taken: those of them that an earlier run had left.  seconds: what it all took."""

    paths: list[Path]
    taken: list[Path]
    seconds: float


def computed(
    papers: dict[str, Any], folder: Path, *, quick: bool, jobs: int, begun: Callable[[str], None]
) -> Iterator[tuple[str, Computed]]:
    """Names with what was computed, in the order in which they finish; begun(name) is called when one begins.

    papers: packages with `compute`.  jobs: how many at once. An exception in one ends all, after those that are under
    way have finished.
    """
    if jobs == 1:
        for name, paper in papers.items():
            begun(name)
            yield name, _computed(paper, folder, quick)
        return
    # A forked process would inherit locks of XLA's threads, but not the threads.
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=spawning, initializer=_alone, initargs=(_settings(), jobs)) as pool:
        left, running = deque(papers), dict[Future[Computed], str]()
        while left or running:
            while left and len(running) < jobs:
                begun(name := left.popleft())
                running[pool.submit(_loaded, papers[name].__name__, folder, quick)] = name
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future.result()


def _computed(paper: Any, folder: Path, quick: bool) -> Computed:
    there = {path: path.stat().st_mtime_ns for path in folder.glob("*.nc")}
    begin = time.perf_counter()
    paths = paper.compute(folder, quick=quick)
    seconds = time.perf_counter() - begin
    return Computed(paths, [path for path in paths if there.get(path) == path.stat().st_mtime_ns], seconds)


def _loaded(package: str, folder: Path, quick: bool) -> Computed:
    return _computed(importlib.import_module(package), folder, quick)


def _settings() -> dict[str, Any]:
    return {name: getattr(jax.config, name) for name in ("jax_enable_x64", "jax_default_matmul_precision", *CACHE)}


def _alone(settings: dict[str, Any], jobs: int) -> None:
    """A process with the settings of its parent and its share of the processors.

    It draws no progress bars: those of several would overwrite.
    """
    for name, value in settings.items():
        jax.config.update(name, value)
    os.environ["TTY_COMPATIBLE"] = "0"
    # XLA's name for how many threads it takes, which it asks for when it first computes.
    os.environ.setdefault("NPROC", str(max(1, processors() // jobs)))
