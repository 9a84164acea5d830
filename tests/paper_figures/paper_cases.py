"""What the tests of all papers ask of one."""

from collections.abc import Callable


def verdicts_of(paper) -> Callable[..., list[str]]:
    """data -> the verdicts on the paper's claims, in their order."""
    return lambda data: [claim.verdict for claim in paper.judge([data])]
