"""Claims in words and numbers, the same for the terminal, the page and the document."""

from collections import Counter
from collections.abc import Iterable

import numpy as np
from rich.markup import escape
from rich.table import Table

from ..frame.claim import Claim
from .entry import Entry


def number(value: float) -> str:
    """Three decimals, or three digits where those say nothing."""
    return f"{value:.3f}" if value == 0 or 1e-3 <= abs(value) < 1e4 else f"{value:.2e}"


def span(claim: Claim) -> str:
    """The numbers that the statement allows."""
    low, high = claim.predicted
    if np.isinf(high):
        return f"at least {low:g}"
    return f"at most {high:g}" if np.isinf(low) else f"{low:g} to {high:g}"


def found(claim: Claim) -> str:
    """The number measured, with its uncertainty."""
    return number(claim.measured) + (f" ± {number(claim.uncertainty)}" if claim.uncertainty else "")


def tally(claims: Iterable[Claim]) -> str:
    """How many hold, fail, are undecided."""
    count = Counter(claim.verdict for claim in claims)
    words = {"holds": "hold" if count["holds"] > 1 else "holds", "fails": "fail" if count["fails"] > 1 else "fails"}
    return (
        ", ".join(f"{count[v]} {words.get(v, v)}" for v in ("holds", "fails", "undecided") if count[v]) or "no claims"
    )


def table(entries: dict[str, Entry]) -> Table:
    """For a terminal; quantities and tolerances are in the page."""
    made = Table(title="claims", title_justify="left")
    made.add_column("claim", ratio=1)
    for head in ("predicted", "measured", "verdict"):
        made.add_column(head)
    for entry in entries.values():
        for claim in entry.claims:
            made.add_row(escape(f"{claim.statement} [{claim.source}]"), span(claim), found(claim), claim.verdict)
        made.add_section()
    return made


def document(entries: dict[str, Entry]) -> str:
    """Markdown: a table of claims for every paper, with the command that measures them."""
    claims = [claim for entry in entries.values() for claim in entry.claims]
    lines = [
        "# Claims",
        "",
        f"{len(claims)} published or derived statements, judged by measurement: {tally(claims)}. Written by",
        "`odescent figures`, which measures them; `report.html` beside it shows the figures and why each tolerance.",
    ]
    for name, entry in entries.items():
        lines += ["", f"## {entry.headline}", "", f"    {entry.command(name)}", ""]
        lines += [
            "| statement | source | measured quantity | predicted | measured | verdict |",
            "|---|---|---|---|---|---|",
        ]
        for claim in entry.claims:
            cells = (claim.statement, claim.source, claim.quantity, span(claim), found(claim), claim.verdict)
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"
