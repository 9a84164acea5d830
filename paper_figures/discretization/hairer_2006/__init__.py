"""Hairer, Lubich and Wanner 2006, "Geometric numerical integration", chapter IX: the modified equation of Euler.

Explicit Euler on the Lotka-Volterra system q' = q (p - 1), p' = p (2 - q) of their page 340 (here to order 4), and how
the truncated series of a linear problem behaves as the order grows: for gradient descent, and for heavy ball.
"""

from ...frame.stored import load as load
from .compute import compute as compute
from .draw import draw as draw
from .judge import judge as judge
