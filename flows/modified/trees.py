"""Rooted trees: one for each way of nesting derivatives of a vector field f.

A tree is the sorted tuple of its children: () is f, ((),) is f'f, ((), ()) is f''(f, f). Equal trees are equal tuples.
(Butcher 1963; Hairer, Lubich and Wanner 2006, section III.1.)
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import combinations_with_replacement
from math import factorial, prod
from typing import Any

# A tuple of trees; no alias that a type checker can follow at run time says so.
Tree = tuple[Any, ...]
Forest = tuple[Tree, ...]

LEAF: Tree = ()


@cache
def order(tree: Tree) -> int:
    """Number of nodes: how many f are nested."""
    return 1 + sum(map(order, tree))


@cache
def symmetry(tree: Tree) -> int:
    """Number of automorphisms."""
    return prod(symmetry(child) ** n * factorial(n) for child, n in Counter(tree).items())


@cache
def density(tree: Tree) -> int:
    """gamma, the product of the orders of all subtrees: the exact flow of f has the coefficient 1 / gamma."""
    return order(tree) * prod(map(density, tree))


def tree_of(children: Iterable[Tree]) -> Tree:
    """The tree with these children, in canonical order: by number of nodes, then as tuples."""
    return tuple(sorted(children, key=lambda child: (order(child), child)))


@cache
def trees_of_order(nodes: int) -> tuple[Tree, ...]:
    """All trees with so many nodes: 1, 1, 2, 4, 9, 20, 48, 115, 286, 719, ..."""
    return tuple(sorted(map(tree_of, forests(nodes - 1, largest=nodes - 1))))


def trees_up_to(nodes: int) -> Iterator[Tree]:
    """All trees with at most so many nodes, small ones first."""
    for size in range(1, nodes + 1):
        yield from trees_of_order(size)


@cache
def number_of_trees(nodes: int) -> int:
    """How many trees have so many nodes, without making them (Cayley's recursion)."""
    if nodes == 1:
        return 1
    divisors = ((k, d) for k in range(1, nodes) for d in range(1, k + 1) if k % d == 0)
    return sum(d * number_of_trees(d) * number_of_trees(nodes - k) for k, d in divisors) // (nodes - 1)


@cache
def forests(nodes: int, largest: int) -> tuple[Forest, ...]:
    """All multisets of trees with so many nodes together, none larger than `largest`."""
    if nodes == 0:
        return ((),)
    return tuple(
        (*rest, *equals)
        for size in range(1, min(nodes, largest) + 1)
        for times in range(1, nodes // size + 1)
        for rest in forests(nodes - times * size, largest=size - 1)
        for equals in combinations_with_replacement(trees_of_order(size), times)
    )


@cache
def grafts(tree: Tree, scion: Tree) -> Counter[Tree]:
    """The derivative of F(tree) along F(scion): the scion is grafted onto every node in turn."""
    found = Counter({tree_of((*tree, scion)): 1})
    for i, child in enumerate(tree):
        for grown, times in grafts(child, scion).items():
            found[tree_of((*tree[:i], grown, *tree[i + 1 :]))] += times
    return found


@cache
def cuts(tree: Tree) -> tuple[tuple[Tree, Tree, int], ...]:
    """(what keeps the root, what falls off, in how many ways) for the removal of every single edge."""
    found: Counter[tuple[Tree, Tree]] = Counter()
    for child, times in Counter(tree).items():
        first = tree.index(child)
        rest = (*tree[:first], *tree[first + 1 :])
        found[rest, child] += times
        for kept, fallen, ways in cuts(child):
            found[tree_of((*rest, kept)), fallen] += times * ways
    return tuple((kept, fallen, ways) for (kept, fallen), ways in found.items())
