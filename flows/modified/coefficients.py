"""Exact coefficients of modified equations: backward error analysis on rooted trees."""

from collections import defaultdict
from functools import lru_cache
from math import factorial
from numbers import Integral
from typing import Any

from .scheme import Scheme, unit
from .trees import Tree, cuts, number_of_trees, symmetry, trees_of_order

HIGHEST_ORDER = 12


@lru_cache(maxsize=64)
def coefficients(scheme: Scheme, order: int) -> dict[Tree, Any]:
    """c(tree) in the modified field  F = sum over trees of h^(order(tree) - 1) c(tree) F(tree),  up to an order.

    F(tree) are elementary differentials without normalisation: F(()) = f, F(((), ())) = f''(f, f).

    The flow X of the unknown field passes through the iterates, x_{n+j} = X(jh), if for every tree
        X(h) - (1 + b) X(0) + b X(-h) = (the scheme's right side, which needs X only at smaller trees).
    X(s h) = x + sum_j s^j/j! D^(j-1) F, and D, the derivative along F, cuts one edge (Hairer, Lubich and Wanner 2006,
    lemma IX.9.1); of its j-th power at a tree only j = 1 holds the unknown c(tree), times 1 - b. So each tree is one
    linear equation in one unknown. Exact in whatever the scheme's numbers are: fractions, or functions of a symbol.
    Raises ValueError for an order below 1 or above 12.
    """
    check_order(order, HIGHEST_ORDER)
    return {tree: value / symmetry(tree) for tree, value in expanded(scheme, order)[0].items()}


def check_order(order: Any, highest: int) -> None:
    """ValueError unless the order is a whole number from 1 to `highest`."""
    if not isinstance(order, Integral) or int(order) < 1:
        raise ValueError(f"`order` must be a whole number from 1 to {highest}, got {order!r}.")
    if (nodes := int(order)) > highest:
        trees = f"{number_of_trees(nodes):,}" if nodes <= 100 else "too many"
        raise ValueError(f"`order` must be at most {highest}, got {order}: there are {trees} trees of order {order}.")


def expanded(scheme: Scheme, order: int) -> tuple[dict[Tree, Any], dict[Tree, Any]]:
    """Coefficients of the field and of X(-h) - X(0), both times the symmetry of the tree."""
    b = scheme.momentum
    one = unit(b)
    field: dict[Tree, Any] = {}
    before: dict[Tree, Any] = {}
    powers: dict[Tree, list[Any]] = {}
    nowhere: dict[Tree, Any] = defaultdict(lambda: one * 0)
    for nodes in range(1, order + 1):
        # b plays back what 1 plays forward: the odd powers of the derivative meet with opposite signs.
        outer = [(one + b * (-1) ** j) / factorial(j) for j in range(nodes + 1)]
        inner = [one * (-1) ** j / factorial(j) for j in range(nodes + 1)]
        for tree in trees_of_order(nodes):
            known = [one * 0] * (nodes - 1)
            for kept, fallen, ways in cuts(tree):
                times = field[fallen] * ways
                for j, power in enumerate(powers[kept]):
                    known[j] += power * times
            rest = sum((weight * power for weight, power in zip(outer[2:], known, strict=True)), start=one * 0)
            field[tree] = (scheme.slope(tree, nowhere, before) - rest) / (one - b)
            powers[tree] = [field[tree], *known]
            before[tree] = sum((w * power for w, power in zip(inner[1:], powers[tree], strict=True)), start=one * 0)
    return field, before


def first_order_left_out(scheme: Scheme, order: int, beyond: int = 8) -> int:
    """The order of the first term that does not vanish above `order`; order + beyond where none is found before."""
    for nodes in range(order + 1, min(order + beyond, HIGHEST_ORDER + 1)):
        known = coefficients(scheme, nodes)
        if any(known[tree] for tree in trees_of_order(nodes)):
            return nodes
    return order + beyond
