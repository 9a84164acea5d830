"""Make the figures of the papers asked for, and the table of verdicts on their claims."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from comparisons.plot import save_figure
from comparisons.provenance import provenance
from comparisons.record import write_atomically
from comparisons.run_folder import make_folder
from landscapes.named import unknown

from . import (
    cohen_2021,
    damian_2023,
    edge_models,
    hairer_2006,
    kovachki_stuart_2021,
    momentum_models,
    polyak_1964,
    shi_2021,
    su_boyd_candes_2016,
)
from .claim import Claim

PAPERS = {
    "cohen_2021": cohen_2021,
    "damian_2023": damian_2023,
    "edge_models": edge_models,
    "hairer_2006": hairer_2006,
    "kovachki_stuart_2021": kovachki_stuart_2021,
    "momentum_models": momentum_models,
    "polyak_1964": polyak_1964,
    "shi_2021": shi_2021,
    "su_boyd_candes_2016": su_boyd_candes_2016,
}


def make_figures(papers: Sequence[str], *, quick: bool, out: str) -> int:
    """Compute what is missing, judge, draw, print the verdicts; 1 when a claim fails, else 0.

    Writes <out>/<paper>.png and .svg, its data as netCDF, and <out>/claims.json. Raises ValueError on an unknown paper.
    """
    for name in papers:
        if name not in PAPERS:
            raise unknown("papers", name, PAPERS)
    folder = Path(out)
    make_folder(folder)
    judged: dict[str, list[Claim]] = {}
    for name in papers or PAPERS:
        paper = PAPERS[name]
        # What is drawn and judged is what is on disk, so that a picture can always be made again from its data.
        before = set(folder.iterdir())
        paths = paper.compute(folder, quick=quick)
        for path in paths:
            print(f"{'took from an earlier run' if path in before else 'wrote'} {path}")
        data = [paper.load(path) for path in paths]
        judged[name] = paper.judge(data)
        for path in save_figure(paper.draw(data), folder / f"{name}{'_quick' * quick}"):
            print(f"wrote {path}")
    content = {
        "provenance": provenance(),
        "claims": {name: [_plain(c) for c in claims] for name, claims in judged.items()},
    }
    write_atomically(folder / "claims.json", json.dumps(content, indent=1, allow_nan=False).encode())
    Console().print(_table(judged))
    return int(any(claim.verdict == "fails" for claims in judged.values() for claim in claims))


def _plain(claim: Claim) -> dict:
    """The claim and its verdict for JSON, which knows neither NaN nor infinity: None there."""
    found = dataclasses.asdict(claim) | {"verdict": claim.verdict}
    found["predicted"] = [bound if np.isfinite(bound) else None for bound in claim.predicted]
    found["measured"] = claim.measured if np.isfinite(claim.measured) else None
    return found


def _number(value: float) -> str:
    """Three decimals, or three digits where those say nothing."""
    return f"{value:.3f}" if value == 0 or 1e-3 <= abs(value) < 1e4 else f"{value:.2e}"


def _table(judged: dict[str, list[Claim]]) -> Table:
    made = Table(title="claims", title_justify="left", show_lines=True)
    made.add_column("claim", ratio=1)
    for head in ("predicted", "measured", "verdict"):
        made.add_column(head)
    for claims in judged.values():
        for claim in claims:
            low, high = claim.predicted
            span = f"{low:g} to {high:g}" if high < float("inf") else f"at least {low:g}"
            span = span if low > -float("inf") else f"at most {high:g}"
            found = _number(claim.measured) + (f" +- {_number(claim.uncertainty)}" if claim.uncertainty else "")
            text = f"{claim.statement} [{claim.source}]\nmeasured: {claim.quantity}\ntolerance: {claim.because}"
            made.add_row(escape(text), span, found, claim.verdict)
    return made
