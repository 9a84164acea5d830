"""No file of the tower imports in a circle, not even inside a function.

A name that a package re-exports stands for the file that defines it: an `__init__` that holds nothing but imports is
passed through and is no file of the graph. So is one whose stub says what it imports when asked. `import discrete`
alone imports what is then taken from it, `discrete.run`.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("landscapes", "discrete", "flows", "comparisons", "paper_figures")
# Circles that are known, each as the set of its files; one that is mended must be taken off.
KNOWN: set[frozenset[str]] = set()


def modules(root: Path, packages: tuple[str, ...]) -> dict[str, ast.Module]:
    """Name of every module, that of a package for its `__init__`, and what it or the stub beside it says."""
    found = {}
    for path in (path for package in packages for path in (root / package).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        stub = path.with_suffix(".pyi")
        said = (stub if stub.exists() else path).read_text()
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = ast.parse(said)
    return found


def only_re_exports(tree: ast.Module) -> bool:
    return all(isinstance(node, ast.Expr | ast.Import | ast.ImportFrom) or is_all(node) for node in tree.body)


def is_all(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"


class Graph:
    """What each file imports."""

    def __init__(self, root: Path, packages: tuple[str, ...] = PACKAGES):
        self.trees = modules(root, packages)
        self.is_package = {name for name in self.trees if (root / name.replace(".", "/")).is_dir()}
        self.passed = {name for name in self.is_package if only_re_exports(self.trees[name])}
        self.imports = {
            name: {there for there in self.reached(name) if there != name} for name in self.trees.keys() - self.passed
        }

    def reached(self, module: str) -> Iterator[str]:
        """The files that a file imports from, inside functions too."""
        for home, name, _ in self.imported(module):
            yield from self.file_of(home, name)
        yield from self.taken(module)

    def imported(self, module: str) -> Iterator[tuple[str, str, str]]:
        """(module, name in it, name here) of every `from module import name as here`."""
        for node in ast.walk(self.trees[module]):
            if isinstance(node, ast.ImportFrom):
                parts = module.split(".") if module in self.is_package else module.split(".")[:-1]
                above = parts[: len(parts) - node.level + 1] if node.level else []
                home = ".".join([*above, *([node.module] if node.module else [])])
                yield from ((home, alias.name, alias.asname or alias.name) for alias in node.names)

    def taken(self, module: str) -> Iterator[str]:
        """The files of `a.b.c` where `import a`, `import a.b` or `from a import b` is there, b a package."""
        tree, here = self.trees[module], dict[str, str]()
        for node in (node for node in ast.walk(tree) if isinstance(node, ast.Import)):
            for alias in node.names:
                first = alias.name.split(".")[0]
                here[alias.asname or first] = alias.name if alias.asname else first
        for home, given, name in self.imported(module):
            if f"{home}.{given}" in self.trees:
                here[name] = f"{home}.{given}"
        for node in (node for node in ast.walk(tree) if isinstance(node, ast.Attribute)):
            base, *rest = ast.unparse(node).split(".")
            whole = [here.get(base, ""), *rest]
            for n in range(1, len(whole)):
                if ".".join(whole[:n]) in self.trees:
                    yield from self.file_of(".".join(whole[:n]), whole[n])

    def file_of(self, home: str, name: str) -> list[str]:
        """The file that `name` of the module `home` is in; none where it is not of this project."""
        if f"{home}.{name}" in self.trees and not self.re_exported(home, name):
            return [f"{home}.{name}"] if f"{home}.{name}" not in self.passed else []
        if home in self.passed:
            return [there for source in self.re_exported(home, name) for there in self.file_of(*source)]
        return [home] if home in self.trees else []

    def re_exported(self, home: str, name: str) -> list[tuple[str, str]]:
        """Where a package that is passed through has a name from."""
        if home not in self.passed:
            return []
        return [(source, given) for source, given, here in self.imported(home) if here == name]

    def circles(self) -> set[frozenset[str]]:
        """Files that reach each other: the strongly connected parts of more than one file."""
        reach = {name: self.all_from(name) for name in self.imports}
        found = {frozenset([one, *(o for o in reach[one] if one in reach.get(o, ()))]) for one in reach}
        return {circle for circle in found if len(circle) > 1}

    def all_from(self, name: str) -> set[str]:
        found, left = set[str](), [name]
        while left:
            new = self.imports.get(left.pop(), set()) - found
            found |= new
            left += new
        return found


def test_no_file_imports_in_a_circle():
    assert Graph(ROOT).circles() == KNOWN


def test_the_graph_knows_what_files_import():
    graph = Graph(ROOT)
    assert len(graph.imports) > 150 and graph.passed >= {"discrete", "flows", "landscapes"}
    # Through `from discrete import Method`, `discrete.HeavyBall`, a relative import, and one inside a function.
    imports = graph.imports
    assert "discrete.method" in imports["flows.flow"]
    assert {"discrete.momentum.heavy_ball", "flows.momentum.polyak"} <= imports[
        "paper_figures.momentum.momentum_models.setting"
    ]
    assert "paper_figures.frame.constants" in imports["paper_figures.frame.stored"]


def test_circles_through_packages_functions_and_attributes_are_seen(tmp_path):
    files = {
        "low/__init__.py": "from .a import f as f\nfrom .b import g as g\n",
        "low/a.py": "def f():\n    from .b import g\n",
        "low/b.py": "import low\n\ndef g():\n    return low.f()\n",
        "low/c.py": "from low import f, g\n",
        "low/d.py": "from .c import x\n",
        "low/busy.py": "from .inner import y\n",
        "low/inner/__init__.py": "from ..busy import z\ny = 1\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert Graph(tmp_path, ("low",)).circles() == {frozenset({"low.a", "low.b"}), frozenset({"low.busy", "low.inner"})}
