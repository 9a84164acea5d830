"""Elementary differentials on any pytree: sums of nested derivatives of a vector field, in forward mode."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from math import comb
from typing import Any

import jax
import jax.numpy as jnp

from landscapes import Params
from landscapes.curvature.directional import along, goes_forward

from .trees import LEAF, Forest, Tree

Field = Callable[[Params], Params]
Ladder = Mapping[int, Params]
Derived = Callable[[Callable[..., Params], tuple, tuple], tuple[Params, Params]]


def combination(field: Field, point: Params, weights: Mapping[Tree, Any]) -> Params:
    """sum over trees of weights[tree] F(tree) at the point, F the elementary differentials of the field.

    The last and largest child of every tree enters its derivative linearly, so trees that differ only there share one
    evaluation: f''(f, .) is taken once, of the sum of all that belongs into its free slot, which is again such a
    combination. Trees whose other children are all f form a ladder f'(A), f''(f, B), f'''(f, f, C), ...: the Taylor
    coefficients of one product f'(point + s f)(d(s)) along one line (`_climbed`).
    """
    known: dict[Tree, Params] = {LEAF: field(point)}
    derived = partial(along, forward=goes_forward(field, point))

    def differential(tree: Tree) -> Params:
        if tree not in known:
            *others, last = tree
            leaves = others.count(LEAF)
            rest = [differential(other) for other in others[leaves:]]
            known[tree] = _climbed(derived, field, point, known[LEAF], rest, {leaves: differential(last)})
        return known[tree]

    def summed(weights: Mapping[Tree, Any]) -> Params:
        parts = [_scaled(weights[LEAF], known[LEAF])] if LEAF in weights else []
        for others, rungs in _grouped(weights).items():
            if single := _only_tree(others, rungs):
                tree, weight = single
                parts.append(_scaled(weight, differential(tree)))
                continue
            # Where the top rung holds f alone its weight goes outside, and products along f are shared as they stand.
            top = rungs[max(rungs)]
            scale = top[LEAF] if set(top) == {LEAF} else 1
            ladder = {j: summed({tree: w / scale for tree, w in last.items()}) for j, last in rungs.items()}
            if set(top) == {LEAF}:
                ladder[max(rungs)] = known[LEAF]
            rest = [differential(tree) for tree in others]
            parts.append(_scaled(scale, _climbed(derived, field, point, known[LEAF], rest, ladder)))
        return _added(parts, point)

    return summed(weights)


def products(trees: Iterable[Tree]) -> int:
    """Forward-mode products that `combination` nests and adds up for these trees."""
    seen: set[Tree] = {LEAF}

    def differential(tree: Tree) -> int:
        if tree in seen:
            return 0
        seen.add(tree)
        return len(tree) + sum(map(differential, tree))

    def summed(weights: Mapping[Tree, Any]) -> int:
        total = 0
        for others, rungs in _grouped(weights).items():
            if single := _only_tree(others, rungs):
                total += differential(single[0])
            else:
                total += max(rungs) + len(others) + 1
                total += sum(map(summed, rungs.values())) + sum(map(differential, others))
        return total

    return summed(dict.fromkeys(trees, 1))


def _grouped(weights: Mapping[Tree, Any]) -> dict[Forest, dict[int, dict[Tree, Any]]]:
    """{children that are neither f nor last: {number of f before the last: {last child: weight}}}"""
    groups: dict[Forest, dict[int, dict[Tree, Any]]] = defaultdict(lambda: defaultdict(dict))
    for tree, weight in weights.items():
        if tree != LEAF:
            *others, last = tree
            leaves = others.count(LEAF)
            groups[tuple(others[leaves:])][leaves][last] = weight
    return groups


def _only_tree(others: Forest, rungs: Mapping[int, Mapping[Tree, Any]]) -> tuple[Tree, Any] | None:
    """The tree of a group that holds no other, and its weight."""
    if len(rungs) > 1:
        return None
    ((leaves, last),) = rungs.items()
    if len(last) > 1:
        return None
    ((tree, weight),) = last.items()
    return (*[LEAF] * leaves, *others, tree), weight


def _climbed(
    derived: Derived, field: Field, point: Params, leaf: Params, others: list[Params], ladder: Ladder
) -> Params:
    """sum_j f^(j + 1 + k)(f, ..., f (j times), the k others, ladder[j])

    With top = max j: the top-th derivative in s at 0 of the product of f at point + s f with
    d(s) = sum_i s^i/i! d_i,  d_i = ladder[top - i] / binomial(top, i).
    With f itself on a top rung j <= 2, cheaper: f''(f, f) + f'(A) and f'''(f, f, f) + f''(f, B) + f'(A) are the second
    derivative of f along a curve with x' = f, x'' = A, and the third with x'' = B/3, x''' = A.
    """
    top = max(ladder)
    zero = jax.tree.map(jnp.zeros_like, point)
    if ladder[top] is leaf and not others and top in (1, 2):
        bend = [_scaled(1 / 3, ladder.get(1, zero))] if top == 2 else []
        return _along_curve(derived, field, point, [leaf, *bend, ladder.get(0, zero)])
    slopes = [_scaled(1 / comb(top, i), ladder.get(top - i, zero)) for i in range(top + 1)]

    def product(x: Params, slope: Params) -> Params:
        return derived(field, (x,), (slope,))[1]

    rising: Callable[..., Params] = product
    for _ in range(top):
        rising = _risen(derived, rising, leaf)
    for other in others:
        rising = _turned(derived, rising, other)
    return rising(point, *slopes)


def _along_curve(derived: Derived, field: Field, point: Params, derivatives: list[Params]) -> Params:
    """The n-th derivative of field(x(s)) at s = 0, from x = point and the n derivatives of x."""

    def further(function: Callable[..., Params]) -> Callable[..., Params]:
        return lambda x, *tangents: derived(function, (x, *tangents[:-1]), tangents)[1]

    turning: Callable[..., Params] = field
    for _ in derivatives:
        turning = further(turning)
    return turning(point, *derivatives)


def _risen(derived: Derived, function: Callable[..., Params], leaf: Params) -> Callable[..., Params]:
    """d/ds along x' = leaf, d_i' = d_{i+1}."""

    def derivative(x: Params, *slopes: Params) -> Params:
        return derived(function, (x, *slopes[:-1]), (leaf, *slopes[1:]))[1]

    return derivative


def _turned(derived: Derived, function: Callable[..., Params], other: Params) -> Callable[..., Params]:
    """The derivative in x along another vector."""

    def derivative(x: Params, *slopes: Params) -> Params:
        return derived(lambda x: function(x, *slopes), (x,), (other,))[1]

    return derivative


def _scaled(weight: Any, vector: Params) -> Params:
    return jax.tree.map(lambda leaf: jnp.asarray(weight, leaf.dtype) * leaf, vector)


def _added(parts: list[Params], like: Params) -> Params:
    if not parts:
        return jax.tree.map(jnp.zeros_like, like)
    return jax.tree.map(lambda *leaves: sum(leaves[1:], start=leaves[0]), *parts)
