"""A published statement, what it predicts as a number, and what the measurement says."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

Verdict = Literal["holds", "fails", "undecided"]


@dataclass(frozen=True)
class Claim:
    """One statement of a paper, judged.

    source: paper and figure, section or theorem.  quantity: what is measured, in words.
    predicted: (low, high), the numbers the statement allows, tolerance included; because: why that tolerance.
    measured: the number found here, uncertainty: its half-width.
    """

    statement: str
    source: str
    quantity: str
    predicted: tuple[float, float]
    because: str
    measured: float
    uncertainty: float = 0.0

    @property
    def verdict(self) -> Verdict:
        """`holds` or `fails` when the whole interval of the measurement is inside or outside; `undecided` otherwise."""
        if not np.isfinite(self.measured):
            return "undecided"
        low, high = self.predicted
        bottom, top = self.measured - self.uncertainty, self.measured + self.uncertainty
        if low <= bottom and top <= high:
            return "holds"
        return "fails" if top < low or bottom > high else "undecided"
