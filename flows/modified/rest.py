"""Where the modified flow has to start to meet a momentum method that starts at rest, once its transient has died."""

from collections import defaultdict
from functools import lru_cache
from math import comb
from typing import Any

from .coefficients import HIGHEST_ORDER, check_order
from .scheme import OneStepScheme, Scheme, TwoStepScheme
from .trees import Tree, symmetry, trees_of_order


class Response:
    """A sum of terms  c n^j b^(k n)  in the step n: slow where k = 0, a dying transient where k > 0."""

    def __init__(self, base: Any, terms: dict[tuple[int, int], Any]):
        self.base, self.terms = base, terms

    def __add__(self, other: Any) -> "Response":
        total = defaultdict(lambda: self.base * 0, self.terms)
        for power, c in self._of(other).terms.items():
            total[power] += c
        return Response(self.base, dict(total))

    def __mul__(self, other: Any) -> "Response":
        product: dict[tuple[int, int], Any] = defaultdict(lambda: self.base * 0)
        for (k, j), c in self.terms.items():
            for (m, i), d in self._of(other).terms.items():
                product[k + m, j + i] += c * d
        return Response(self.base, dict(product))

    def __neg__(self) -> "Response":
        return self * (self.base * 0 - 1)

    def __sub__(self, other: Any) -> "Response":
        return self + -self._of(other)

    __radd__, __rmul__ = __add__, __mul__

    def _of(self, other: Any) -> "Response":
        return other if isinstance(other, Response) else Response(self.base, {(0, 0): self.base * 0 + other})

    def one_step_earlier(self) -> "Response":
        """n -> n - 1"""
        earlier: dict[tuple[int, int], Any] = defaultdict(lambda: self.base * 0)
        for (k, j), c in self.terms.items():
            for i in range(j + 1):
                earlier[k, i] += c * comb(j, i) * (-1) ** (j - i) / self.base**k
        return Response(self.base, dict(earlier))

    def at_zero(self) -> Any:
        """The value at n = 0."""
        return sum((c for (_, j), c in self.terms.items() if j == 0), start=self.base * 0)


@lru_cache(maxsize=64)
def rest_coefficients(scheme: Scheme, order: int) -> dict[Tree, Any]:
    """s(tree) in  X(0) = x_0 + sum over trees of h^order(tree) s(tree) F(tree)(x_0)  for a method started at rest.

    The flow from there meets the iterates up to the transient, which dies like b^n. For heavy ball the first term is
    -b/(1-b)^2 h f(x_0) (Kovachki and Stuart 2021, after theorem 9); the others are new here. At every tree the iterate
    is a linear response u to a known force,
        u_{n+1} - (1 + b) u_n + b u_{n-1} = r_n,    u_0 = 0,  u_{-1} = 0,
    a sum of terms n^j b^(k n) (`Response`). What does not decay, k = 0, is X(n h); s is its value at n = 0.
    A one-step method and b = 0 have no transient: no coefficients.
    """
    check_order(order, HIGHEST_ORDER)
    if isinstance(scheme, OneStepScheme) or scheme.momentum == 0:
        return {}
    now: dict[Tree, Response] = {}
    before: dict[Tree, Response] = {}
    start: dict[Tree, Any] = {}
    zero = Response(scheme.momentum, {})
    for nodes in range(1, order + 1):
        for tree in trees_of_order(nodes):
            start[tree] = scheme.before_rest(tree, start)
            now[tree] = _response(scheme, zero + scheme.slope(tree, now, before), start[tree])
            before[tree] = now[tree].one_step_earlier()
    nothing = scheme.momentum * 0
    return {tree: response.terms.get((0, 0), nothing) / symmetry(tree) for tree, response in now.items()}


def _response(scheme: TwoStepScheme, force: Response, before: Any) -> Response:
    """The u with u_0 = 0 and u_{-1} = before."""
    b = scheme.momentum
    driven = Response(b, {})
    for k in {k for k, _ in force.terms}:
        driven = driven + Response(b, _driven(b, k, {j: c for (m, j), c in force.terms.items() if m == k}))
    # The free motions are 1 and b^n; their sum fits the two values at the start.
    gap = before - driven.one_step_earlier().at_zero() + driven.at_zero()
    dying = gap * b / (1 - b)
    return driven + Response(b, {(0, 0): -driven.at_zero() - dying, (1, 0): dying})


def _driven(b: Any, k: int, force: dict[int, Any]) -> dict[tuple[int, int], Any]:
    """One motion under sum_j force[j] n^j b^(k n); at the roots k = 0 and 1 of the recursion it is a degree higher."""
    up, down = b**k, b ** (1 - k) if k <= 1 else 1 / b ** (k - 1)
    resonant = int(k <= 1)
    left = defaultdict(lambda: b * 0, force)
    motion: dict[tuple[int, int], Any] = {}
    for degree in range(max(force) + resonant, resonant - 1, -1):
        lead = degree * (up - down) if resonant else up - (1 + b) + down
        motion[k, degree] = weight = left[degree - resonant] / lead
        for i in range(degree):
            left[i] = left[i] - weight * comb(degree, i) * (up + (-1) ** (degree - i) * down)
    return motion
