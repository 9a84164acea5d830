"""A paper is in the catalogue by being there; one that is broken says so."""

import ast
import importlib
import sys
from pathlib import Path

import pytest

import paper_figures
from paper_figures.report import catalogue, report
from paper_figures.report.catalogue import ASKED, FILES, PAPERS, Papers

ROOT = Path(paper_figures.__file__).parent
GOOD = {
    "__init__.py": '"""Somebody 1999: a paper."""\n\ncompute = load = judge = draw = print\n',
    **{f"{name}.py": "" for name in FILES},
}


@pytest.fixture
def made(tmp_path, monkeypatch):
    """make(theme, paper, **changed files) -> the papers of a package with all that was made; None takes a file away."""
    (tmp_path / "shelf").mkdir()
    (tmp_path / "shelf" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(theme: str, paper: str, **changes: str | None) -> Papers:
        folder = tmp_path / "shelf" / theme / paper
        folder.mkdir(parents=True)
        (folder.parent / "__init__.py").touch()
        files = GOOD | {f"{name}.py": text for name, text in changes.items()}
        for name, text in files.items():
            if text is not None:
                (folder / name).write_text(text)
        importlib.invalidate_caches()
        return Papers(importlib.import_module("shelf"))

    yield make
    for name in [name for name in sys.modules if name.split(".")[0] == "shelf"]:
        del sys.modules[name]


def test_every_folder_of_a_theme_is_a_paper_with_its_four_files_and_functions():
    folders = [path.parent for path in ROOT.glob("*/*/__init__.py")]
    assert sorted(path.name for path in folders) == list(PAPERS) and len(folders) >= 23
    for folder in folders:
        assert all((folder / f"{name}.py").exists() for name in FILES)
        for name in ("compute", "judge", "draw"):
            tree = ast.parse((folder / f"{name}.py").read_text())
            assert name in [node.name for node in tree.body if isinstance(node, ast.FunctionDef)], (folder, name)
    assert all(callable(getattr(PAPERS[name], function)) for name in PAPERS for function in ASKED)
    assert all(catalogue.headline(PAPERS[name]) == catalogue.summary(name) for name in PAPERS)


def test_a_paper_that_is_put_into_a_folder_is_found_in_the_order_of_the_alphabet(made):
    made("zeta", "alpha_2000")
    made("frame", "no_paper")
    found = made("beta", "omega_1900")
    assert list(found) == ["alpha_2000", "omega_1900"] and len(found) == 2
    assert found["omega_1900"].__name__ == "shelf.beta.omega_1900"


def test_the_list_loads_no_paper(made, monkeypatch, capsys):
    found = made("theme", "heavy", __init__='"""Heavy 2000: it takes long to load."""\nraise SystemExit(9)\n')
    monkeypatch.setattr(catalogue, "PAPERS", found)
    monkeypatch.setattr(report, "PAPERS", found)
    catalogue.list_papers()
    assert capsys.readouterr().out == "heavy  Heavy 2000: it takes long to load\n"


BROKEN = {
    "no docstring": ({"__init__": "compute = 1"}, "broken: its __init__.py has no docstring"),
    "no Python": ({"__init__": "def ("}, "broken: its __init__.py cannot be read"),
    "no judge.py": ({"judge": None}, "broken: it has no judge.py"),
}


@pytest.mark.parametrize(("changes", "said"), BROKEN.values(), ids=BROKEN)
def test_a_broken_paper_says_so_in_the_list_and_the_others_are_listed(made, monkeypatch, capsys, changes, said):
    made("theme", "broken", **changes)
    found = made("theme", "whole")
    monkeypatch.setattr(catalogue, "PAPERS", found)
    monkeypatch.setattr(report, "PAPERS", found)
    catalogue.list_papers()
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(f"broken  {said}") and second == "whole   Somebody 1999: a paper"


def test_a_paper_that_does_not_load_is_refused_in_one_line_and_no_other(made, monkeypatch, tmp_path):
    made("theme", "broken", __init__='"""A paper."""\nimport no_such_module_at_all\n')
    found = made("theme", "lacking", __init__='"""A paper."""\n')
    monkeypatch.setattr(catalogue, "PAPERS", found)
    with pytest.raises(ValueError, match="`papers` broken does not load, ModuleNotFoundError: .*no_such_module"):
        report.make_figures(["broken"], quick=True, out=str(tmp_path / "out"))
    with pytest.raises(ValueError, match="`papers` lacking has no `compute`, `load`, `judge`, `draw`"):
        report.make_figures(["lacking"], quick=True, out=str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_two_papers_of_one_name_are_refused(made):
    made("one", "twin")
    with pytest.raises(ValueError, match="two papers twin"):
        made("other", "twin")
