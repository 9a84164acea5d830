"""report.html: one self-contained page with every figure beside its claims; read on a laptop or a phone, or printed."""

import base64
import json
from html import escape
from pathlib import Path
from textwrap import shorten
from typing import Any

from ..frame.claim import Claim
from .entry import Entry
from .wording import found, span, tally

CSS = Path(__file__).with_name("page.css")
MARKS = {"holds": "✓", "fails": "✗", "undecided": "?"}
LONGEST = 500
COLUMNS = ("statement", "predicted", "measured", "verdict")


def page(entries: dict[str, Entry], folder: Path) -> str:
    """The page of these papers; their figures are the .png files in the folder, and become part of it."""
    claims = [claim for entry in entries.values() for claim in entry.claims]
    body = [
        "<header><h1>Papers on training dynamics, measured</h1>",
        f"<p>{len(entries)} papers and comparisons, {len(claims)} claims: <strong>{escape(tally(claims))}</strong>. "
        "Made by <code>odescent figures</code>. A claim holds when the measured number, with its uncertainty, is "
        "within what the statement predicts, fails when it is outside, and is undecided else.</p></header>",
        _contents(entries),
        _not_holding(entries),
        *(_section(name, entry, folder) for name, entry in entries.items()),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>odescent: claims and figures</title>\n<style>\n{CSS.read_text()}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def _contents(entries: dict[str, Entry]) -> str:
    rows = [
        f'<li><a href="#{escape(name)}">{escape(entry.headline)}</a> <span class="tally">{_dots(entry.claims)} '
        f"{escape(tally(entry.claims))}{', quick size' * (entry.size == 'quick')}</span></li>"
        for name, entry in entries.items()
    ]
    return f'<nav aria-label="papers"><ul>{"".join(rows)}</ul></nav>'


def _dots(claims: list[Claim]) -> str:
    marks = "".join(f'<i class="{claim.verdict}">{MARKS[claim.verdict]}</i>' for claim in claims)
    return f'<span class="dots" aria-hidden="true">{marks}</span>'


def _not_holding(entries: dict[str, Entry]) -> str:
    rows = [
        f'<li><a href="#{_anchor(name, i)}">{escape(claim.statement)}</a> ({claim.verdict}: predicted '
        f"{escape(span(claim))}, measured {escape(found(claim))})</li>"
        for name, entry in entries.items()
        for i, claim in enumerate(entry.claims)
        if claim.verdict != "holds"
    ]
    return f'<section class="findings"><h2>What does not hold</h2><ul>{"".join(rows)}</ul></section>' if rows else ""


def _section(name: str, entry: Entry, folder: Path) -> str:
    paragraphs = "".join(f"<p>{escape(text)}</p>" for text in entry.account)
    rows = "".join(_row(name, i, claim) for i, claim in enumerate(entry.claims))
    heads = "".join(f'<th scope="col">{head}</th>' for head in COLUMNS)
    image = base64.b64encode((folder / f"{entry.figure}.png").read_bytes()).decode()
    return (
        f'<section id="{escape(name)}"><h2>{escape(entry.headline)}</h2>{paragraphs}'
        f'<figure id="{escape(name)}-figure"><img src="data:image/png;base64,{image}" '
        f'alt="Figure: {escape(entry.headline, quote=True)}"></figure>'
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        f"{_making(name, entry)}</section>"
    )


def _row(name: str, i: int, claim: Claim) -> str:
    cells = (
        f"{escape(claim.statement)}<small>{escape(claim.source)}. Measured: {escape(claim.quantity)}. Tolerance: "
        f'{escape(claim.because)}. <a href="#{escape(name)}-figure">Figure</a></small>',
        escape(span(claim)),
        escape(found(claim)),
        f'<span class="{claim.verdict}">{MARKS[claim.verdict]} {claim.verdict}</span>',
    )
    columns = "".join(f'<td data-label="{head}">{cell}</td>' for head, cell in zip(COLUMNS, cells, strict=True))
    return f'<tr id="{_anchor(name, i)}">{columns}</tr>'


def _anchor(name: str, i: int) -> str:
    return f"{escape(name)}-{i + 1}"


def _making(name: str, entry: Entry) -> str:
    took = "" if entry.seconds is None else f", {entry.seconds:.0f} s"
    files = "".join(f"<dt>{escape(file)}</dt><dd>SHA-256 {escape(digest)}</dd>" for file, digest in entry.data.items())
    return (
        f"<details><summary>How it was made: <code>{escape(entry.command(name))}</code>{took}</summary>"
        f"<dl><dt>constants</dt><dd>{_list(entry.constants)}</dd>"
        f"<dt>versions</dt><dd>{_list(entry.provenance)}</dd>{files}</dl></details>"
    )


def _list(values: dict[str, Any]) -> str:
    """Names and values; claims.json has the whole of what is long."""
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}
    return escape(", ".join(f"{key} = {shorten(text, LONGEST, placeholder=' ...')}" for key, text in texts.items()))
