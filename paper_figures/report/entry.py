"""What the report says of one paper: its claims, its figure, and where the numbers come from; kept in claims.json."""

import dataclasses
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from comparisons.storage.stored_json import plain_name, read_json
from comparisons.storage.whole_file import write_atomically

from ..frame.claim import Claim

FILE = "claims.json"
SIZES = ("full", "quick")
# Of computing, in seconds: a year.
LONGEST = 3.2e7


@dataclass(frozen=True)
class Entry:
    """A paper as it was judged last.

    headline, account: what its module says of it.  size: full or quick.  figure: stem of the .png and the .svg.
    data: SHA-256 of each data file.  seconds: what computing them took, None if it is not known.
    constants, provenance: what the data were made with.
    """

    headline: str
    account: list[str]
    size: str
    figure: str
    claims: list[Claim]
    data: dict[str, str]
    seconds: float | None
    constants: dict[str, Any]
    provenance: dict[str, str]

    def command(self, name: str) -> str:
        """What makes it again."""
        return f"odescent figures {name}{' --quick' * (self.size == 'quick')}"


def write(folder: Path, entries: dict[str, Entry]) -> Path:
    """<folder>/claims.json: strict JSON, which knows neither NaN nor infinity: null there."""
    content = {"papers": {name: _plain(entry) for name, entry in entries.items()}}
    path = folder / FILE
    write_atomically(path, json.dumps(content, indent=1, allow_nan=False).encode())
    return path


def read(folder: Path) -> dict[str, Entry]:
    """The entries that `write` left in the folder, none where there is no such file.

    ValueError, in one line, on a file that has not the shape that `write` gives it: whoever changed it.
    """
    path = folder / FILE
    # Also what is no file, such as a folder or a link to nowhere, is in the way.
    if not os.path.lexists(path):
        return {}
    found = read_json(path, SHAPE, remedy="remove it, and `odescent figures` writes a new one from the data")
    return {name: _entry(entry) for name, entry in found["papers"].items()}


def _size(value: Any) -> bool:
    """full or quick"""
    return value in SIZES


def _digest(value: Any) -> bool:
    """a SHA-256 in hexadecimal"""
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


def _seconds(value: Any) -> bool:
    """a number of seconds or null"""
    return value is None or (type(value) in (int, float) and 0 <= value <= LONGEST)


NUMBER = (float, None)
CLAIM = dict.fromkeys(("statement", "source", "quantity", "because", "verdict"), str)
CLAIM |= {"predicted": [NUMBER, NUMBER], "measured": NUMBER, "uncertainty": float}
# File names are names, so that nothing outside the folder is ever looked for.
ENTRY = {
    "headline": str,
    "account": [str],
    "size": _size,
    "figure": plain_name,
    "claims": [CLAIM],
    "data": {plain_name: _digest},
    "seconds": _seconds,
    "constants": {...: object},
    "provenance": {...: str},
}
SHAPE = {"papers": {plain_name: ENTRY}}


def _plain(entry: Entry) -> dict[str, Any]:
    return dataclasses.asdict(entry) | {"claims": [_plain_claim(claim) for claim in entry.claims]}


def _plain_claim(claim: Claim) -> dict[str, Any]:
    found = dataclasses.asdict(claim) | {"verdict": claim.verdict}
    found["predicted"] = [bound if np.isfinite(bound) else None for bound in claim.predicted]
    return found | {"measured": claim.measured if np.isfinite(claim.measured) else None}


def _entry(found: dict[str, Any]) -> Entry:
    claims = [_claim(dict(claim)) for claim in found["claims"]]
    return Entry(claims=claims, **{key: value for key, value in found.items() if key != "claims"})


def _claim(found: dict[str, Any]) -> Claim:
    found.pop("verdict")
    low, high = found.pop("predicted")
    measured = found.pop("measured")
    return Claim(
        predicted=(-np.inf if low is None else low, np.inf if high is None else high),
        measured=np.nan if measured is None else measured,
        **found,
    )
