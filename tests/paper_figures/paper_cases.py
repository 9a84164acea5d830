"""What the tests of all papers ask of one."""

import importlib
from collections.abc import Callable


def verdicts_of(paper) -> Callable[..., list[str]]:
    """data -> the verdicts on the paper's claims, in their order."""
    return lambda data: [claim.verdict for claim in paper.judge([data])]


def part_of(paper, name: str):
    """The module paper.<name>, where the package has a function of the same name."""
    return importlib.import_module(f"{paper.__name__}.{name}")
