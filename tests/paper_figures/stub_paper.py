"""A paper that costs nothing, for what is asked of all papers."""

from pathlib import Path

import matplotlib.pyplot as plt
import xarray

from paper_figures.frame.claim import Claim
from paper_figures.frame.stored import load, stored

NUMBER = 7.0
# For tests to edit.
SETTING = None


class Paper:
    """Somebody 1999, "A paper whose computation costs nothing": it stores a number and returns the claims it was given.

    The paper has <b>no</b> figure; this one has an empty one.
    """

    def __init__(self, *claims: Claim):
        self.claims = list(claims)

    def compute(self, folder: Path, *, quick: bool) -> list[Path]:
        return stored(folder, "paper", quick=quick, computed=lambda: xarray.Dataset({"number": NUMBER}))

    def load(self, path: Path) -> xarray.Dataset:
        return load(path)

    def judge(self, data: list[xarray.Dataset]) -> list[Claim]:
        assert [float(found.number) for found in data] == [NUMBER]
        return self.claims

    def draw(self, data: list[xarray.Dataset]):
        return plt.figure(figsize=(1, 1))
