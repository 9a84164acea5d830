"""The tower: a package may import only what lies on its own floor or below it."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOOR = {"landscapes": 0, "discrete": 1, "flows": 2, "comparisons": 3, "paper_figures": 4, "odescent": 5}


def packages_imported_by(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add((node.module or "").split(".")[0])
    return found & set(FLOOR)


@pytest.mark.parametrize("package", [name for name in FLOOR if name != "odescent"])
def test_imports_point_down(package):
    files = list((ROOT / package).rglob("*.py"))
    assert files
    for path in files:
        for there in packages_imported_by(path) - {package}:
            assert FLOOR[there] < FLOOR[package], f"{path.relative_to(ROOT)} imports {there}, which lies above it"


def test_the_test_sees_an_import_that_points_up(tmp_path):
    path = tmp_path / "wrong.py"
    path.write_text("def f():\n    from flows import solve\n    import comparisons.plot\n")
    assert packages_imported_by(path) == {"flows", "comparisons"}
