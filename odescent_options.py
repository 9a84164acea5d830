"""What can be asked for on the command line, read from the files that register it, of which none is run.

Help and complaints come before jax is imported, and the files that register methods, flows and problems import it. So
they are read as text: the decorators with the names, and the settings in the signatures below them. A test compares
this with what the packages register when they are imported.
"""

import ast
import contextlib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, NamedTuple

from flows.registered import example, matched
from landscapes.named import unknown

ROOT = Path(__file__).resolve().parent
TYPES = {"int": int, "float": float, "bool": bool, "str": str}
# In the place of a default: where there is none, and where it is no literal.
REQUIRED, UNKNOWN = "REQUIRED", "UNKNOWN"
# Weights times examples: gradients of networks on digits are faster on two threads above it, and not below it.
THREADS_PAY = 20_000_000
DIGITS = 64, 10

Definition = ast.ClassDef | ast.FunctionDef


class Setting(NamedTuple):
    """What a setting is read as (int, float, bool, str, a Literal or tuple[..., ...]), what it is, and its default."""

    type: Any
    help: str
    default: Any


class Option(NamedTuple):
    """An option of `odescent compare`: what it is read as, and its help with whose it is."""

    type: Any
    help: str


@cache
def methods() -> dict[str, dict[str, Setting]]:
    """The settings of every method, in the order of the catalogue."""
    return _with_settings("discrete", "named", _literal_in("discrete", "READING_ORDER"))


@cache
def problems() -> dict[str, dict[str, Setting]]:
    """The settings of every problem."""
    return _with_settings("landscapes", "problem_builder")


@cache
def problem_meanings() -> dict[str, str]:
    """What every problem is: the first line of the docstring of what builds it."""
    return {
        name: (ast.get_docstring(node) or "").split("\n")[0]
        for _, text in _users("landscapes", "problem_builder", ())
        for node in ast.parse(text).body
        if isinstance(node, Definition)
        for name, _ in _names(node, "problem_builder")
    }


@cache
def flows() -> tuple[str, ...]:
    """The names of the flows, in the order of the catalogue."""
    order = _literal_in("flows", "READING_ORDER")
    # Their classes have no settings of the command line, and need not be parsed.
    heads = (
        head
        for _, text in _users("flows", "named", order)
        for head in re.findall(r"^@named\(.*?(?=^class |^def )", text, re.MULTILINE | re.DOTALL)
    )
    return tuple(name for head in heads for name, _ in _names(_first(f"{head}class _: ..."), "named"))


@cache
def setting_options() -> dict[str, Option]:
    """One option for every setting of a method or a problem. ValueError where two of a name differ in type."""
    of_methods, of_problems = _merged(methods()), _merged(problems())
    if shared := of_methods.keys() & of_problems.keys():
        raise ValueError(f"{sorted(shared)} are settings of methods and of problems; give them names of their own.")
    return of_methods | of_problems


def check_names(problem: str, method: str, asked: tuple[str, ...]) -> None:
    """ValueError, as it is raised further down after jax was imported, on a name that is not known."""
    for argument, name, known in (("problem", problem, problems()), ("method", method, methods())):
        if name not in known:
            raise unknown(argument, name, known)
    for name in asked:
        if not any(matched(pattern, name) for pattern in flows()):
            raise unknown("flows", name, map(example, flows()))


def gains_from_threads(problem: str, given: Mapping[str, Any]) -> bool:
    """Whether gradients are faster on several threads: True for data from files, False where settings do not tell."""
    settings = {key: given.get(key) or one.default for key, one in problems()[problem].items()}
    widths, examples = settings.get("widths"), settings.get("examples", settings.get("points"))
    if "data_dir" in settings:
        return True
    if not isinstance(widths, tuple) or not isinstance(examples, int):
        return False
    weights = sum(fan_in * fan_out for fan_in, fan_out in pairwise((DIGITS[0], *widths, DIGITS[1])))
    return weights * examples > THREADS_PAY


def listed(names: tuple[str, ...], last: str) -> str:
    """a, b and c."""
    return f" {last} ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _merged(owners: Mapping[str, Mapping[str, Setting]]) -> dict[str, Option]:
    found: dict[str, dict[str, Setting]] = {}
    for name, settings in owners.items():
        for key, setting in settings.items():
            found.setdefault(key, {})[name] = setting
    return {key: _option(key, of) for key, of in found.items()}


def _option(key: str, of: Mapping[str, Setting]) -> Option:
    first = next(iter(of.values()))
    for name, setting in of.items():
        if setting.type != first.type:
            raise ValueError(f"`{key}` of {name} is {setting.type}, that of {next(iter(of))} {first.type}.")
    texts = dict.fromkeys(setting.help for setting in of.values())
    whose = f"For {listed(tuple(of), 'and')}"
    if len({repr(setting.default) for setting in of.values()}) == 1 and first.default not in (None, UNKNOWN):
        whose += " (to be given)" if first.default is REQUIRED else f" ({_shown(first.default)} if not given)"
    return Option(first.type, f"{' '.join(texts)} {whose}.")


def _shown(default: Any) -> str:
    return " ".join(map(str, default)) if isinstance(default, tuple) else str(default)


def _with_settings(package: str, decorator: str, order: tuple[str, ...] = ()) -> dict[str, dict[str, Setting]]:
    shared = _aliases(ast.parse((ROOT / package / "settings.py").read_text(encoding="utf-8")), {})
    found = {}
    for _, text in _users(package, decorator, order):
        tree = ast.parse(text)
        aliases, constants = _aliases(tree, shared), _constants(tree)
        for node in (node for node in tree.body if isinstance(node, Definition)):
            for name, fixed in _names(node, decorator):
                found[name] = {
                    key: Setting(*aliased, _default(value, constants))
                    for key, hint, value in _parameters(node)
                    if key not in fixed and (aliased := _annotated(hint, aliases))
                }
    return found


def _users(package: str, decorator: str, order: tuple[str, ...]) -> list[tuple[Path, str]]:
    """The files of a package that use a decorator, in reading order, and what they say."""
    texts = {path: path.read_text(encoding="utf-8") for path in (ROOT / package).rglob("*.py")}
    used = {path: text for path, text in texts.items() if f"\n@{decorator}(" in text}

    def place(path: Path) -> tuple[Any, ...]:
        at = order.index(path.stem) if path.stem in order else len(order)
        return at, path.relative_to(ROOT).with_suffix("").parts

    return [(path, used[path]) for path in sorted(used, key=place)]


def _literal_in(package: str, name: str) -> Any:
    """A constant of the file that registers."""
    for node in ast.parse((ROOT / package / "registered.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return ast.literal_eval(node.value)
    raise ValueError(f"{package}/registered.py has no {name}.")


def _first(text: str) -> Definition:
    (node,) = ast.parse(text).body
    assert isinstance(node, Definition)
    return node


def _names(node: Definition, decorator: str) -> Iterator[tuple[str, set[str]]]:
    """The names under which a definition is registered, and the arguments that each of them fixes."""
    for call in node.decorator_list:
        if isinstance(call, ast.Call) and ast.unparse(call.func) == decorator:
            yield ast.literal_eval(call.args[0]), {keyword.arg or "" for keyword in call.keywords}


def _parameters(node: Definition) -> Iterator[tuple[str, ast.expr, ast.expr | None]]:
    """Name, annotation and default of the arguments of a function, of the `__init__` of a class, or of its fields."""
    if isinstance(node, ast.ClassDef):
        own = [one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == "__init__"]
        if not own:
            yield from (
                (ast.unparse(one.target), one.annotation, one.value)
                for one in node.body
                if isinstance(one, ast.AnnAssign)
            )
            return
        node = own[0]
    arguments, words = node.args, node.args.kwonlyargs
    places = [*arguments.posonlyargs, *arguments.args]
    defaults = [*[None] * (len(places) - len(arguments.defaults)), *arguments.defaults, *arguments.kw_defaults]
    for argument, default in zip([*places, *words], defaults, strict=True):
        if argument.annotation is not None:
            yield argument.arg, argument.annotation, default


def _default(value: ast.expr | None, constants: Mapping[str, Any]) -> Any:
    """A default as it is written, that of a field too, or a constant of the file."""
    if isinstance(value, ast.Call):
        given = {keyword.arg: keyword.value for keyword in value.keywords}
        if "static" not in given and "default" not in given:
            return UNKNOWN
        value = given.get("default")
    if value is None:
        return REQUIRED
    if isinstance(value, ast.Name):
        return constants.get(value.id, UNKNOWN)
    try:
        return ast.literal_eval(value)
    except ValueError:
        return UNKNOWN


def _constants(tree: ast.Module) -> dict[str, Any]:
    """Name -> value of every `NAME = literal`."""
    found = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            with contextlib.suppress(ValueError):
                found[node.targets[0].id] = ast.literal_eval(node.value)
    return found


def _aliases(tree: ast.Module, known: Mapping[str, tuple[Any, str]]) -> dict[str, tuple[Any, str]]:
    """Name -> (type, help) of every `Name = Annotated[...]`."""
    found = dict(known)
    for node in tree.body:
        if isinstance(node, ast.Assign) and (annotated := _annotated(node.value, found)):
            found[ast.unparse(node.targets[0])] = annotated
    return found


def _annotated(hint: ast.expr, aliases: Mapping[str, tuple[Any, str]]) -> tuple[Any, str] | None:
    """(type, help) of Annotated[type, help] or of the name of one; None for any other annotation."""
    if isinstance(hint, ast.Name):
        return aliases.get(hint.id)
    if isinstance(hint, ast.Subscript) and ast.unparse(hint.value) == "Annotated" and isinstance(hint.slice, ast.Tuple):
        kind, text = hint.slice.elts
        return _type(kind), ast.literal_eval(text)
    return None


def _type(node: ast.expr) -> Any:
    """The first type of a union, tuple[T, ...] for a sequence of T."""
    if isinstance(node, ast.BinOp):
        return _type(node.left)
    if isinstance(node, ast.Name) and node.id in TYPES:
        return TYPES[node.id]
    if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "Sequence":
        return tuple[_type(node.slice), ...]
    if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "Literal":
        return Literal[ast.literal_eval(node.slice)]
    raise ValueError(f"{ast.unparse(node)} is no type of a setting: int, float, bool, str, a Literal or a Sequence.")
