"""Looking things up by name, with help for the mistyped."""

from collections.abc import Iterable
from difflib import get_close_matches


def unknown(argument: str, name: str, known: Iterable[str]) -> ValueError:
    """The error to raise for a name that is not known; it says which known ones come nearest."""
    known = list(known)
    close = get_close_matches(name, known, n=2, cutoff=0.4) or known
    return ValueError(f"`{argument}` {name!r} is unknown; did you mean {' or '.join(close)}?")
