"""The papers, found in the folders of the themes, and what the report asks of each.

They are listed without importing what they are computed and drawn with.
"""

import ast
import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any, Protocol

import paper_figures
from landscapes.named import unknown

if TYPE_CHECKING:
    import xarray
    from matplotlib.figure import Figure

    from ..frame.claim import Claim

NO_THEMES = ("frame", "report")
FILES = ("setting", "compute", "judge", "draw")
ASKED = ("compute", "load", "judge", "draw")


class Paper(Protocol):
    """A folder paper_figures/<theme>/<name>/ with setting.py, compute.py, judge.py and draw.py.

    Its docstring begins with a line that names paper and subject and says what is shown.
    compute: writes what is missing of its data, returns the files.  judge, draw: from the data alone.
    One that needs data which may not be here has `missing(*, quick) -> str | None`: why it cannot be computed here.
    """

    __doc__: str | None

    def compute(self, folder: Path, *, quick: bool) -> list[Path]: ...

    def load(self, path: Path) -> "xarray.Dataset": ...

    def judge(self, data: "list[xarray.Dataset]") -> "list[Claim]": ...

    def draw(self, data: "list[xarray.Dataset]") -> "Figure": ...


class Papers(Mapping[str, Any]):
    """The packages two folders below `package`, by name, in the order of the alphabet whatever their themes are.

    A paper is loaded when it is asked for; its names and docstrings are read without.
    """

    def __init__(self, package: Any):
        self._package = package
        self._places = _places(package)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, name: str) -> Any:
        """The paper, loaded; ValueError with the reason in one line where it does not load or lacks a function."""
        place = self._places[name]
        try:
            paper = importlib.import_module(".".join((self._package.__name__, *place.parts[-2:])))
        except Exception as error:
            raise ValueError(f"`papers` {name} does not load, {type(error).__name__}: {_line(error)}") from error
        lacks = [f"`{function}`" for function in ASKED if not callable(getattr(paper, function, None))]
        if lacks:
            raise ValueError(f"`papers` {name} has no {', '.join(lacks)}; see paper_figures/report/catalogue.py")
        return paper

    def docstring(self, name: str) -> str:
        """What the paper says of itself; ValueError where it says nothing or a file is not there."""
        place = self._places[name]
        lacks = [f"{file}.py" for file in FILES if not (place / f"{file}.py").exists()]
        if lacks:
            raise ValueError(f"it has no {', '.join(lacks)}")
        try:
            found = ast.get_docstring(ast.parse((place / "__init__.py").read_bytes()))
        except (SyntaxError, ValueError) as error:
            raise ValueError(f"its __init__.py cannot be read, {_line(error)}") from error
        if not found:
            raise ValueError("its __init__.py has no docstring")
        return found


def _places(package: Any) -> dict[str, Path]:
    """Paper -> its folder."""
    themes = [Path(root) / found.name for root in package.__path__ for found in _folders([root])]
    found: dict[str, Path] = {}
    for theme in themes:
        for paper in _folders([str(theme)]) if theme.name not in NO_THEMES else ():
            if paper.name in found:
                raise ValueError(f"there are two papers {paper.name}: in {found[paper.name]} and in {theme}.")
            found[paper.name] = theme / paper.name
    return dict(sorted(found.items()))


def _folders(path: list[str]) -> list[pkgutil.ModuleInfo]:
    return [found for found in pkgutil.iter_modules(path) if found.ispkg]


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


PAPERS: Papers = Papers(paper_figures)


def check_papers(names: tuple[str, ...] | list[str]) -> None:
    """ValueError on the name of no paper."""
    for name in names:
        if name not in PAPERS:
            raise unknown("papers", name, PAPERS)


def chosen(names: tuple[str, ...] | list[str]) -> dict[str, Any]:
    """The papers of these names, loaded, all if there is none; ValueError on an unknown one and on a broken one."""
    check_papers(names)
    return {name: PAPERS[name] for name in names or PAPERS}


def list_papers() -> None:
    """Print the papers that there are."""
    width = max(map(len, PAPERS))
    for name in PAPERS:
        print(f"{name:{width}}  {shorten(summary(name), 130, placeholder=' ...')}")


def summary(name: str) -> str:
    """The headline of a paper that need not be loaded; why it is broken, where it is."""
    try:
        return _headline(PAPERS.docstring(name))
    except ValueError as error:
        return f"broken: {error}"


def headline(paper: Any) -> str:
    """The first line of its docstring, without the final mark."""
    return _headline(paper.__doc__ or "")


def account(paper: Any) -> list[str]:
    """The other paragraphs of its docstring."""
    return [" ".join(part.split()) for part in (paper.__doc__ or "").strip().split("\n\n")[1:]]


def _headline(text: str) -> str:
    return " ".join(text.strip().split("\n\n")[0].split()).rstrip(".:")
