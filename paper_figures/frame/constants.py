"""The whole explicit setting of a figure: the constants of its setting.py and of what it shares with other papers."""

import ast
import importlib
import importlib.util
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from comparisons.storage.fingerprint import content

ROOT = __name__.partition(".")[0]
# They hold no setting: they keep the data, judge them, draw them.
KEEPERS = ("report", "frame.claim", "frame.computing", "frame.constants", "frame.fingerprint", "frame.panels")
KEEPERS += ("frame.stored",)


def constants(module: ModuleType) -> dict[str, Any]:
    """Every constant that the module and the modules of `paper_figures` it imports define, as JSON of its content.

    NAME of the module itself and of a `setting` beside it, <paper>.<module>.NAME and <module>.NAME of the others.
    A constant is what is assigned to a name in capitals; ValueError names one that has no fingerprint.
    """
    found: dict[str, Any] = {}
    for one in [module, *_companions(module)]:
        prefix = _prefix(one, module)
        found |= {f"{prefix}{name}": content(f"{prefix}{name}", vars(one)[name]) for name in _assigned(one)}
    return found


def _prefix(module: ModuleType, asking: ModuleType) -> str:
    """Nothing for the module that asks and its setting; else paper and module, without the theme."""
    package = asking.__name__.rpartition(".")[0]
    if module.__name__ in (asking.__name__, f"{package}.setting"):
        return ""
    return ".".join(module.__name__.split(".")[2:]) + "."


def _companions(module: ModuleType) -> list[ModuleType]:
    """The modules of papers and of what they share that it imports, and those that they import."""
    found, left = {module.__name__}, [module]
    for one in left:
        new = [name for name in _imported(one) if name not in found and _holds_a_setting(name)]
        found |= set(new)
        left += [importlib.import_module(name) for name in new]
    return sorted(left[1:], key=lambda companion: companion.__name__)


def _holds_a_setting(name: str) -> bool:
    inside = name.removeprefix(f"{ROOT}.")
    return inside != name and not any(f"{inside}.".startswith(f"{keeper}.") for keeper in KEEPERS)


def _imported(module: ModuleType) -> Iterator[str]:
    """The modules that its import statements name, inside functions too; of a package only those named."""
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            home = importlib.util.resolve_name("." * node.level + (node.module or ""), module.__package__)
            if home.partition(".")[0] == ROOT:
                inside = [f"{home}.{alias.name}" for alias in node.names]
                yield from [name for name in inside if _is_module(name)] or [home]


def _is_module(name: str) -> bool:
    try:
        return name in sys.modules or importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _assigned(module: ModuleType) -> list[str]:
    """The names in capitals that its statements assign, in their order; what it imports belongs to another."""
    names = (
        name.id
        for node in _tree(module).body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        for name in ast.walk(target)
        if isinstance(name, ast.Name)
    )
    return [name for name in dict.fromkeys(names) if name.isupper() and name in vars(module)]


def _tree(module: ModuleType) -> ast.Module:
    return _parsed(Path(module.__file__ or ""))


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes())
