"""Whether a modified field is a gradient, so that a modified loss exists."""

from typing import Any

from .scheme import Coefficients
from .trees import Tree, order as nodes, symmetry, tree_of, trees_of_order, trees_up_to


def broken_ratio(known: Coefficients, order: int) -> tuple[Tree, Tree] | None:
    """Two trees of this order whose coefficients forbid a modified loss; None where the field is always a gradient.

    The gradient of a scalar built from derivatives of L sums over the nodes at which one tree without root can be
    rooted. So h^(order - 1) F_order is a gradient for every L if and only if c(tree) symmetry(tree) does not change
    when the root moves along an edge, u o v -> v o u (o grafts the root of v onto that of u; compare the condition for
    Hamiltonian fields in Hairer, Lubich and Wanner 2006, theorem IX.9.3). At order 2 there is one tree: always. At
    order 3 gradient descent has f''(f,f) and f'f'f as 1 : 4, where a gradient has 1 : 2.
    On a quadratic L only f, f'f, f'f'f, ... are left, and every order is a gradient.
    """
    for first in trees_up_to(order - 1):
        for second in trees_of_order(order - nodes(first)):
            there, back = tree_of((*first, second)), tree_of((*second, first))
            if _normalised(known, there) != _normalised(known, back):
                return there, back
    return None


def _normalised(known: Coefficients, tree: Tree) -> Any:
    return known[tree] * symmetry(tree)
