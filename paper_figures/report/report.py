"""Make the figures of the papers asked for, judge their claims, and write both down."""

import hashlib
import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from comparisons.plot import save_figure
from comparisons.storage.run_folder import make_folder
from comparisons.storage.whole_file import write_atomically

from ..frame.computing import Computed, computed
from ..frame.panels import drawn
from ..frame.stored import CONSTANTS, PROVENANCE
from . import entry as entries
from .catalogue import PAPERS, account, chosen, headline
from .entry import SIZES, Entry
from .page import page
from .wording import document, table

PAGE, DOCUMENT = "report.html", "claims.md"


def make_figures(names: Sequence[str], *, quick: bool, out: str, jobs: int = 1) -> int:
    """Compute what is missing, judge, draw, print the verdicts; 1 when a claim fails, else 0.

    Writes <out>/<paper>.png and .svg, its data as netCDF, and after each paper <out>/claims.json, report.html and
    claims.md, of all the papers that the folder has. jobs: papers that are computed at once. Raises ValueError on an
    unknown paper, one that needs data which are not here, and jobs below 1.
    """
    if jobs < 1:
        raise ValueError(f"`jobs` must be at least 1, got {jobs}; it is how many papers are computed at once.")
    papers = chosen(tuple(names))
    missing = {name: why for name, paper in papers.items() if (why := _missing(paper, quick))}
    if names and missing:
        name, why = next(iter(missing.items()))
        raise ValueError(f"`papers` {name} cannot be made: {why}")
    folder, size = Path(out), SIZES[quick]
    make_folder(folder)
    for name, why in missing.items():
        print(f"left out {name}: {why}")
    papers = {name: paper for name, paper in papers.items() if name not in missing}
    known, judged = _with_picture(folder, entries.read(folder), papers), dict[str, Entry]()
    expected = {name: _expected(known.get(name), size, folder) for name in papers}
    count = itertools.count(1)

    def begun(name: str) -> None:
        left = [one for one in papers if one not in judged]
        print(f"[{next(count)}/{len(papers)}] {name}{_remaining(expected, left, jobs)}", flush=True)

    for name, found in computed(papers, folder, quick=quick, jobs=jobs, begun=begun):
        entry = _judged(name, papers[name], folder, found, quick=quick, before=known.get(name))
        expected[name] = entry.seconds
        known[name] = judged[name] = entry
        shown = {name: known[name] for name in PAPERS if name in known}
        entries.write(folder, shown)
        write_atomically(folder / PAGE, page(shown, folder).encode())
        write_atomically(folder / DOCUMENT, document(shown).encode())
    Console().print(table({name: judged[name] for name in papers}))
    print(f"wrote {folder / PAGE}")
    return int(any(claim.verdict == "fails" for entry in judged.values() for claim in entry.claims))


def _judged(name: str, paper: Any, folder: Path, found: Computed, *, quick: bool, before: Entry | None) -> Entry:
    """What is drawn and judged is what is on disk, so that a picture can always be made again from its data."""
    paths = found.paths
    for path in paths:
        print(f"{'took from an earlier run' if path in found.taken else 'wrote'} {path}")
    seconds = _seconds(before, SIZES[quick]) if found.taken else found.seconds
    data = [paper.load(path) for path in paths]
    claims = paper.judge(data)
    figure = f"{name}{'_quick' * quick}"
    for path in save_figure(drawn(paper, data), folder / figure):
        print(f"wrote {path}")
    made = data[0].attrs
    return Entry(
        headline(paper),
        account(paper),
        SIZES[quick],
        figure,
        claims,
        {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths},
        None if seconds is None else round(seconds, 1),
        json.loads(made.get(CONSTANTS, "{}")),
        json.loads(made.get(PROVENANCE, "{}")),
    )


def _with_picture(folder: Path, known: dict[str, Entry], making: dict[str, Any]) -> dict[str, Entry]:
    """Those of an earlier report whose picture is still there, so that the page can have it."""
    kept = {name: entry for name, entry in known.items() if (folder / f"{entry.figure}.png").is_file()}
    for name in known.keys() - kept.keys() - making.keys():
        print(f"left {name} out of the report: its picture is gone; make it again with {known[name].command(name)}")
    return kept


def _missing(paper: Any, quick: bool) -> str | None:
    """Why a paper cannot be computed here; None if it can."""
    return paper.missing(quick=quick) if hasattr(paper, "missing") else None


def _expected(before: Entry | None, size: str, folder: Path) -> float | None:
    """What computing will take: as long as last time, nothing where the data are there."""
    seconds = _seconds(before, size)
    there = before is not None and seconds is not None and all((folder / file).exists() for file in before.data)
    return 0.0 if there else seconds


def _seconds(before: Entry | None, size: str) -> float | None:
    return before.seconds if before is not None and before.size == size else None


def _remaining(expected: dict[str, float | None], left: list[str], jobs: int) -> str:
    """How long the papers that are left took last time, or the others on average."""
    known = [seconds for seconds in expected.values() if seconds is not None]
    if not known:
        return ""
    mean = sum(known) / len(known)
    seconds = sum(mean if expected[name] is None else expected[name] or 0.0 for name in left) / jobs
    return f", about {seconds / 60:.0f} min left" if seconds >= 90 else f", about {seconds:.0f} s left"
