"""Polyak 1964, "Some methods of speeding up the convergence of iteration methods": momentum on a quadratic mode.

Where heavy ball and Nesterov's method are stable, where they oscillate, and how fast they can be.
"""

from ...frame.stored import load as load
from .compute import compute as compute
from .draw import draw as draw
from .judge import judge as judge
