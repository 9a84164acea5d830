"""Calls of the command line with one wrong thing each, from the options that there are."""

import json
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import odescent

LONG, HUGE = "9" * 5000, "1" + "0" * 30
WRONG = {
    float: [
        "nan", "inf", "-inf", "-1", "0", "-0.0", "5e-324", "1e-320", "1e308", "-1e308", "1e400", "x", "", " ", "1 2",
        "1,5", "0x10", "1e", "½", "None", LONG,
    ],
    int: [
        "-1", "0", "1e3", "x", "", "9223372036854775807", "9223372036854775808", "-9223372036854775809", HUGE, LONG,
        "1.5", "1.0", "0x10", "None", "true", "--",
    ],
    str: ["", "no-such", "../..", "\n", "ä" * 300, "%s", "-", "~nobody-here/x", "a/b", "$HOME", "{}", "None", "'"],
    bool: ["maybe", "", "2"],
}  # fmt: skip
HOME_OF = {
    "widths": "digits-mlp", "channels": "cifar10-cnn", "activation": "digits-mlp", "criterion": "digits-mlp",
    "examples": "digits-mlp", "gain": "digits-mlp", "micro_batch": "digits-mlp", "data_dir": "cifar10-mlp",
    "ridge": "logistic", "eigenvalues": "quadratic", "degree": "chebyshev-mlp", "points": "chebyshev-mlp",
    "depth": "deep-linear", "width": "deep-linear", "scale": "deep-linear", "dimension": "diagonal-linear",
    "nonzeros": "diagonal-linear", "seed": "quadratic", "rotate": "quadratic", "singular_values": "deep-linear",
    "test_examples": "digits-mlp", "in_span": "cifar10-mlp",
}  # fmt: skip
METHOD_OF = {
    "momentum": "heavy-ball",
    "beta2": "rmsprop",
    "epsilon": "rmsprop",
    "bias_correction": "rmsprop",
    "strong_convexity": "nesterov-strongly-convex",
}
BEYOND = {
    "widths": ["100000 100000 100000", " ".join(["2"] * 2000), HUGE],
    "channels": ["1000000 1000000"],
    "degree": ["1000000000000"],
    "points": ["1000000000000"],
    "depth": ["2000", "1000000000000"],
    "width": ["1000000"],
    "dimension": ["1000000000000"],
    "examples": ["1000000000000"],
    "steps": ["1000000000000000"],
    "top": ["1000000"],
}
COMPARED = {"problem": "two-valleys", "method": "gradient-descent", "learning_rate": 0.1, "steps": 40}
# What stands in the place of the arguments of a config.json, of all that it holds, and of one argument.
NO_FILES = ["", "{", "[]", "null", "1", '"x"', "{}", "[" * 5000, '{"arguments": NaN}', "\ufeff{}", "\x00"]
NO_ARGUMENTS = [None, [], 1, "x", {"no": 1}, {"steps": {}}, {"flows": "gradient"}, {"flows": [1]}, {"out": "x"}]
NO_VALUES = [None, [], {}, "x", True, -1, 0, 1.5, 10**30, 1e308, "../..", [[]]]


def malformed(folder: Path) -> Iterator[list[str]]:
    """Calls of every command. folder: where the files are written that they name."""
    yield from _compared()
    yield from _modified()
    yield from _figures(folder)
    yield from _from_files(folder)
    yield from [["no-such"], ["compare"], ["--problem"], ["modified"], ["problems", "x"], [""], ["figures", "--no"]]


def _compared() -> Iterator[list[str]]:
    for name, hint in typing.get_type_hints(odescent.compare_command()).items():
        if name in ("out", "resume", "overwrite", "json"):
            continue
        kinds = _kinds(hint) & WRONG.keys()
        options = {_option(key): str(value) for key, value in COMPARED.items()}
        options |= {"--problem": HOME_OF.get(name, "two-valleys")}
        method = METHOD_OF.get(name, "gradient-descent")
        options |= {"--method": method, "--flows": "edge-1" if method == "rmsprop" else "gradient"}
        if method == "nesterov-strongly-convex":
            options |= {"--strong-convexity": "0.1", "--flows": "low-resolution"}
        if options["--problem"] == "digits-mlp":
            options |= {"--examples": "10", "--widths": "4"}
        for value in [
            *(value for kind in WRONG if kind in (kinds or {str}) for value in WRONG[kind]),
            *BEYOND.get(name, []),
        ]:
            chosen = options | {_option(name): value}
            yield ["compare", *(word for pair in chosen.items() for word in (pair[0], *(pair[1].split(" "))))]


def _modified() -> Iterator[list[str]]:
    yield from (["modified", method] for method in WRONG[str])
    yield from (["modified", "heavy-ball", "--order", value] for value in [*WRONG[int], "13", "99"])
    fractions = ["1", "2", "1/0", "9/10/3", "1e-5000", "0.1e999999999", "1e-999999999", "1/" + LONG]
    yield from (["modified", "heavy-ball", "--momentum", value] for value in [*WRONG[float], *fractions])
    yield from (["modified", "heavy-ball", "--problem", value] for value in WRONG[str])
    yield ["modified", "heavy-ball", "--latex", "--json"]


def _figures(folder: Path) -> Iterator[list[str]]:
    yield from (["figures", paper] for paper in WRONG[str])
    # No paper is computed: the last one named does not exist.
    yield from (["figures", "polyak_1964", "no-such", "--jobs", value] for value in WRONG[int])
    (folder / "file").write_text("")
    yield ["figures", "polyak_1964", "--quick", "--out", str(folder / "file" / "below")]


def _from_files(folder: Path) -> Iterator[list[str]]:
    written = [*NO_FILES, *(json.dumps({"arguments": found}) for found in NO_ARGUMENTS)]
    changed = [COMPARED | {key: value} for key in ("problem", "learning_rate", "steps", "top") for value in NO_VALUES]
    for i, text in enumerate([*written, *(json.dumps({"arguments": found}) for found in changed)]):
        file = folder / f"{i}.json"
        file.write_text(text)
        yield ["compare", "--config", str(file)]
    yield from (["compare", "--config", value] for value in [*WRONG[str], str(folder)])


def _kinds(hint: Any) -> set[Any]:
    """Of a type, those that it is made of."""
    inner = typing.get_args(hint)
    return {hint} | {kind for one in inner for kind in _kinds(one)} if inner else {types.NoneType, hint}


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
