"""What a modified equation depends on: how a method combines its gradients, the learning rate taken out."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import prod
from typing import Any

from discrete.descent.tableaux import Tableau

from .trees import Tree

SYMBOL = "beta"
Coefficients = Mapping[Tree, Any]


@dataclass(frozen=True)
class TwoStepScheme:
    """x_{n+1} - (1 + b) x_n + b x_{n-1} = h sum_i w_i f(x_n + a_i (x_n - x_{n-1}))

    momentum: b.  evaluations: the pairs (w_i, a_i).  All numbers of one exact kind: fractions, or rational functions.
    direct: e of the x_{-1} at rest, x_0 = x_{-1} + e h f(x_{-1}): 0, or 1 for look-ahead points.

    gradient descent       b = 0, (1, 0)
    heavy ball             (1, 0)
    Nesterov               (1, b)
    its look-ahead points  (1 + b, 0), (-b, -1)
    """

    momentum: Any
    evaluations: tuple[tuple[Any, Any], ...]
    direct: Any = 0

    def __post_init__(self):
        # A float equals its fraction and would answer for it from the caches.
        object.__setattr__(self, "momentum", exact_number(self.momentum))
        pairs = tuple((exact_number(weight), exact_number(ahead)) for weight, ahead in self.evaluations)
        object.__setattr__(self, "evaluations", pairs)
        object.__setattr__(self, "direct", exact_number(self.direct))

    def slope(self, tree: Tree, now: Coefficients, before: Coefficients) -> Any:
        """Coefficient of the right side at a tree, from those of x_n and x_{n-1} at its children."""
        one = unit(self.momentum)
        return sum(
            (
                weight * prod((now[child] * (1 + ahead) - before[child] * ahead for child in tree), start=one)
                for weight, ahead in self.evaluations
            ),
            start=one * 0,
        )

    def before_rest(self, tree: Tree, before: Coefficients) -> Any:
        """Coefficient, about x_0, of the x_{-1} from which a method at rest has come."""
        return -self.direct * prod((before[child] for child in tree), start=unit(self.momentum))


@dataclass(frozen=True)
class OneStepScheme:
    """x_{n+1} = x_n + h sum_i b_i k_i,  k_i = f(x_n + h sum_j a_ij k_j)      (an explicit Runge-Kutta step)"""

    matrix: tuple[tuple[Fraction, ...], ...]
    weights: tuple[Fraction, ...]
    momentum: Fraction = Fraction(0)

    def slope(self, tree: Tree, now: Coefficients, before: Coefficients) -> Fraction:
        """Coefficient of the step at a tree (Hairer, Lubich and Wanner 2006, theorem III.1.4)."""
        del now, before
        return sum((b * stage for b, stage in zip(self.weights, self._stages(tree), strict=True)), start=Fraction(0))

    @cached_property
    def _known(self) -> dict[Tree, tuple[Fraction, ...]]:
        return {}

    def _stages(self, tree: Tree) -> tuple[Fraction, ...]:
        if tree not in self._known:
            self._known[tree] = tuple(
                prod((self._combined(row, child) for child in tree), start=Fraction(1)) for row in self.matrix
            )
        return self._known[tree]

    def _combined(self, row: tuple[Fraction, ...], child: Tree) -> Fraction:
        return sum((a * stage for a, stage in zip(row, self._stages(child), strict=False)), start=Fraction(0))


Scheme = TwoStepScheme | OneStepScheme


def heavy_ball_scheme(momentum: Any) -> TwoStepScheme:
    """x_{n+1} - (1 + b) x_n + b x_{n-1} = h f(x_n)"""
    one = unit(momentum)
    return TwoStepScheme(momentum, ((one, one * 0),))


def nesterov_scheme(momentum: Any) -> TwoStepScheme:
    """x_{n+1} - (1 + b) x_n + b x_{n-1} = h f(x_n + b (x_n - x_{n-1}))"""
    return TwoStepScheme(momentum, ((unit(momentum), momentum),))


def look_ahead_scheme(momentum: Any) -> TwoStepScheme:
    """y_{n+1} - (1 + b) y_n + b y_{n-1} = h (1 + b) f(y_n) - h b f(y_{n-1})      (y = x + b v of Nesterov's method)"""
    one = unit(momentum)
    return TwoStepScheme(momentum, ((1 + momentum, one * 0), (-momentum, -one)), direct=one)


def one_step_scheme(tableau: Tableau) -> OneStepScheme:
    """The scheme of an explicit Runge-Kutta step: (rows of a below the diagonal, weights b)."""
    matrix, weights = tableau
    return OneStepScheme(tuple(tuple(map(rational, row)) for row in matrix), tuple(map(rational, weights)))


def unit(number: Any) -> Any:
    """1 of the same exact kind as the number."""
    return 1 + number * 0  # number * 0 + 1 would be the whole number 1 where sympy adds, and 1 / 6 then a float


def exact_number(number: Any) -> Any:
    """A float as the fraction it is written as; anything exact as it is."""
    return rational(number) if isinstance(number, float) else number


def rational(number: Any) -> Fraction:
    """The fraction that a number is written as: its shortest decimal form for a float."""
    return number if isinstance(number, Fraction) else Fraction(repr(float(number)))


def symbolic_momentum() -> Any:
    """beta as a rational function over the rationals."""
    import sympy

    return sympy.QQ.frac_field(SYMBOL).gens[0]
