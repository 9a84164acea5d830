"""What the curves of a picture are called."""

import re
from numbers import Real
from typing import Any

import matplotlib as mpl
from matplotlib.mathtext import MathTextParser

from .findings import Findings

SYMBOLS = {"learning_rate": "h", "momentum": r"\beta", "strong_convexity": "m", "look_ahead": "a"}
SYMBOLS |= {"beta2": r"\beta_2", "epsilon": r"\epsilon"}


def method_label(comparison: Findings) -> str:
    """The method with its hyper-parameters, as in `gradient descent, h = 0.1`, and whether it is seen time averaged."""
    return _described(comparison.method)


def flow_label(name: str, order: int | float | None) -> str:
    """The name of a flow with the order that it claims, a power of h."""
    plain = name if "flow" in name else f"{name.removesuffix(f'-{order}').replace('-', ' ')} flow"
    plain = drawable(plain)
    if order is None:
        return plain
    return f"{plain}, $O(h)$" if order == 1 else f"{plain}, $O(h^{{{order}}})$"


def is_averaged(comparison: Findings) -> bool:
    """Whether its method is a run seen through a filter that removes the oscillation."""
    return isinstance(comparison.method.get("method"), dict)


def drawable(name: str) -> str:
    """A name as a text that matplotlib can draw and a legend shows, whatever its characters; formulas stay formulas."""
    name = " ".join(name.split())
    try:
        MathTextParser("path").parse(name)
        sound = name.count("$") % 2 == 0
    except ValueError:
        sound = False
    name = name if sound else name.replace("$", r"\$")
    if mpl.rcParams["text.usetex"]:
        name = re.sub(r"(?<!\\)([%&#_])(?=[^$]*(?:\$[^$]*\$[^$]*)*$)", r"\\\1", name)
    # Matplotlib keeps names that start with an underscore to itself.
    return rf"$\_${name[1:]}" if name.startswith("_") else name


def width(label: str) -> int:
    """About how many characters wide a label is, in its longest line."""
    return max(len(re.sub(r"[${}^]|\\(?=\W)", "", line)) for line in label.split("\n"))


def wrapped(label: str, most: int) -> str:
    """A label in lines of at most about that many characters; formulas are not broken."""
    lines = [""]
    for word in re.findall(r"(?:\$[^$]*\$|\S)+", label):
        for piece in [word] if "$" in word else (word[i : i + most] for i in range(0, len(word), most)):
            if lines[-1] and width(f"{lines[-1]} {piece}") > most:
                lines.append(piece)
            else:
                lines[-1] = f"{lines[-1]} {piece}".strip()
    return "\n".join(lines)


def _described(method: dict[str, Any]) -> str:
    settings = dict(method)
    name = settings.pop("name").replace("-", " ")
    if isinstance(inner := settings.pop("method", None), dict):
        return f"{_described(inner)}, {name}"
    shown = [_setting(SYMBOLS.get(key, key), value) for key, value in settings.items() if _is_number(value)]
    named = [_text(SYMBOLS[key], value) for key, value in settings.items() if key in SYMBOLS and isinstance(value, str)]
    return ", ".join([name, *shown, *named])


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _setting(symbol: str, value: Real) -> str:
    return rf"${symbol} = {float(value):g}$"


def _text(symbol: str, value: str) -> str:
    """A schedule has a name unless it is a lambda."""
    return rf"${symbol}$ by schedule" if value.startswith("<") else rf"${symbol}$ = {drawable(value)}"
