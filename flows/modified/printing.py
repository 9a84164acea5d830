"""What `odescent modified` prints; sympy, slow to import, only where it is needed."""

import json
from typing import Any

from rich.console import Console

from .series import Series, series


def print_series(
    method: str, order: int, momentum: str | None, problem: str | None, *, latex: bool, as_json: bool
) -> None:
    """Print the series of a named method and, of a named vector field, the components of every order.

    Raises ValueError on misuse, before anything is printed.
    """
    if latex and as_json:
        raise ValueError("`latex` and `json` exclude each other; give one of them.")
    found = series(method, order, momentum)
    written = _written(found, problem) if problem else None
    if as_json:
        print(json.dumps(found.to_dict() | ({"problem": problem} | _texts(*written, str) if written else {})))
    elif latex:
        print(found.to_latex())
        if written:
            import sympy

            print("\n".join(_lines(written, sympy.latex, r"\[ \dot{{{}}} = {} \]")))
    else:
        console = Console()
        console.print(found.to_table())
        if written:
            console.print(f"\n{problem}:", style="bold", highlight=False)
            for line in _lines(written, str, "  {}' = {}"):
                console.print(line, highlight=False, soft_wrap=True)


def _written(found: Series, problem: str) -> tuple[list, list]:
    from .written_out import modified_field, system

    field, variables = system(problem)
    return variables, modified_field(field, variables, found.coefficients)


def _texts(variables: list, orders: list, write: Any) -> dict[str, Any]:
    return {"variables": [write(v) for v in variables], "field": [[write(part) for part in order] for order in orders]}


def _lines(written: tuple[list, list], write: Any, form: str) -> list[str]:
    """One equation for each variable: sum over orders of h^(order - 1) times the component."""
    import sympy

    variables, orders = written
    h = sympy.Symbol("h")
    lines = []
    for i, variable in enumerate(variables):
        parts = [(k, order[i]) for k, order in enumerate(orders) if order[i] != 0]
        terms = [write(part if k == 0 else sympy.Mul(h**k, part, evaluate=False)) for k, part in parts]
        lines.append(form.format(write(variable), " + ".join(terms).replace("+ -", "- ") or "0"))
    return lines
