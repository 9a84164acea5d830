"""Explicit Runge-Kutta methods as numbers: (rows of a below the diagonal, weights b)."""

from fractions import Fraction
from typing import Any

Tableau = tuple[tuple[tuple[Any, ...], ...], tuple[Any, ...]]

THIRD, SIXTH, HALF = Fraction(1, 3), Fraction(1, 6), Fraction(1, 2)
EULER: Tableau = (((),), (1,))
MIDPOINT: Tableau = (((), (HALF,)), (0, 1))
HEUN: Tableau = (((), (1,)), (HALF, HALF))
KUTTA_3: Tableau = (((), (HALF,), (-1, 2)), (SIXTH, 4 * SIXTH, SIXTH))
KUTTA_4: Tableau = (((), (HALF,), (0, HALF), (0, 0, 1)), (SIXTH, THIRD, THIRD, SIXTH))
