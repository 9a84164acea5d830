"""The papers, and what the report asks of each."""

from pathlib import Path
from typing import Any, Protocol

from matplotlib.figure import Figure

from landscapes.named import unknown

from . import (
    azulay_2021,
    barrett_dherin_2021,
    cohen_2021,
    cohen_2021_chebyshev,
    cohen_2021_cifar10,
    cohen_2021_momentum,
    cohen_damian_2025,
    damian_2023,
    edge_models,
    elkabetz_cohen_2021,
    hairer_2006,
    kovachki_stuart_2021,
    min_2021,
    miyagawa_2022,
    momentum_models,
    polyak_1964,
    rosca_2023,
    saxe_2014,
    saxe_2014_depth,
    shi_2021,
    smith_2021,
    su_boyd_candes_2016,
    woodworth_2020,
)
from .claim import Claim


class Paper(Protocol):
    """A module or a package: its docstring begins with a line that names paper and subject and says what is shown.

    compute: writes what is missing of its data, returns the files.  judge, draw: from the data alone.
    One that needs data which may not be here has `missing(*, quick) -> str | None`: why it cannot be computed here.
    """

    __doc__: str | None

    def compute(self, folder: Path, *, quick: bool) -> list[Path]: ...

    def load(self, path: Path) -> Any: ...

    def judge(self, data: list[Any]) -> list[Claim]: ...

    def draw(self, data: list[Any]) -> Figure: ...


PAPERS: dict[str, Any] = {
    "azulay_2021": azulay_2021,
    "barrett_dherin_2021": barrett_dherin_2021,
    "cohen_2021": cohen_2021,
    "cohen_2021_chebyshev": cohen_2021_chebyshev,
    "cohen_2021_cifar10": cohen_2021_cifar10,
    "cohen_2021_momentum": cohen_2021_momentum,
    "cohen_damian_2025": cohen_damian_2025,
    "damian_2023": damian_2023,
    "edge_models": edge_models,
    "elkabetz_cohen_2021": elkabetz_cohen_2021,
    "hairer_2006": hairer_2006,
    "kovachki_stuart_2021": kovachki_stuart_2021,
    "min_2021": min_2021,
    "miyagawa_2022": miyagawa_2022,
    "momentum_models": momentum_models,
    "polyak_1964": polyak_1964,
    "rosca_2023": rosca_2023,
    "saxe_2014": saxe_2014,
    "saxe_2014_depth": saxe_2014_depth,
    "shi_2021": shi_2021,
    "smith_2021": smith_2021,
    "su_boyd_candes_2016": su_boyd_candes_2016,
    "woodworth_2020": woodworth_2020,
}


def chosen(names: tuple[str, ...] | list[str]) -> dict[str, Any]:
    """The papers of these names, all if there is none; ValueError on an unknown one."""
    for name in names:
        if name not in PAPERS:
            raise unknown("papers", name, PAPERS)
    return {name: PAPERS[name] for name in names or PAPERS}


def headline(paper: Any) -> str:
    """The first line of its docstring, without the final mark."""
    return " ".join((paper.__doc__ or "").strip().split("\n\n")[0].split()).rstrip(".:")


def account(paper: Any) -> list[str]:
    """The other paragraphs of its docstring."""
    return [" ".join(part.split()) for part in (paper.__doc__ or "").strip().split("\n\n")[1:]]
