"""The modified field of a concrete vector field, written out by sympy."""

from collections.abc import Sequence
from itertools import product as tuples
from math import prod
from typing import Any

import sympy

from landscapes.named import unknown

from .scheme import Coefficients
from .trees import LEAF, Tree, order as nodes


def modified_field(
    field: Sequence[sympy.Expr], variables: Sequence[sympy.Symbol], known: Coefficients
) -> list[list[Any]]:
    """[F_1, F_2, ..., F_p]: the components of each order of F = sum_k h^(k-1) F_k for the vector field f(variables).

    known: `coefficients(scheme, p)`. For a loss L pass f = -grad L.

    >>> x = sympy.Symbol("x")
    >>> from fractions import Fraction
    >>> from flows.modified.coefficients import coefficients
    >>> from flows.modified.scheme import heavy_ball_scheme
    >>> modified_field([-(x**2)], [x], coefficients(heavy_ball_scheme(Fraction(0)), 2))
    [[-x**2], [-x**3]]
    """
    differentials: dict[Tree, list[Any]] = {}
    orders: list[list[Any]] = [[sympy.S.Zero] * len(field) for _ in range(max(map(nodes, known)))]
    for tree, coefficient in known.items():
        differentials[tree] = _differential(list(field), list(variables), tree, differentials)
        weight = _as_sympy(coefficient)
        total = orders[nodes(tree) - 1]
        orders[nodes(tree) - 1] = [sum_ + weight * part for sum_, part in zip(total, differentials[tree], strict=True)]
    return [[sympy.factor(component) for component in components] for components in orders]


def _differential(field: list, variables: list, tree: Tree, known: dict[Tree, list]) -> list:
    """f^(m)(F(child 1), ..., F(child m)) by components."""
    if tree == LEAF:
        return field
    children = [known[child] for child in tree]
    return [
        sympy.expand(
            sum(
                sympy.diff(component, *(variables[i] for i in slots))
                * prod((child[i] for child, i in zip(children, slots, strict=True)), start=sympy.S.One)
                for slots in tuples(range(len(variables)), repeat=len(tree))
            )
        )
        for component in field
    ]


def _as_sympy(coefficient: Any) -> Any:
    return coefficient.as_expr() if hasattr(coefficient, "as_expr") else sympy.Rational(str(coefficient))


def _downhill(loss: Any, *variables: Any) -> tuple[list, list]:
    return [-sympy.diff(loss, variable) for variable in variables], list(variables)


def _systems() -> dict[str, tuple[list, list]]:
    x, y, p, q, s, m = sympy.symbols("x y p q s m")
    return {
        "quadratic": _downhill((s * x**2 + m * y**2) / 2, x, y),
        "quartic": _downhill(x**4 / 4, x),
        "double-well": _downhill((x**2 - 1) ** 2 / 4, x),
        "rosenbrock": _downhill((1 - x) ** 2 + 100 * (y - x**2) ** 2, x, y),
        "two-layer": _downhill((x * y - 1) ** 2 / 2, x, y),
        "lotka-volterra": ([q * (p - 1), p * (2 - q)], [q, p]),
    }


SYSTEMS = ("quadratic", "quartic", "double-well", "rosenbrock", "two-layer", "lotka-volterra")


def system(name: str) -> tuple[list, list]:
    """(components of f, variables) of a named vector field; ValueError with the nearest names."""
    if name not in SYSTEMS:
        raise unknown("problem", name, SYSTEMS)
    return _systems()[name]
