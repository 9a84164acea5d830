"""Kovachki and Stuart 2021, "Continuous time analysis of momentum methods": three models of heavy ball and Nesterov.

Their phase planes on Phi = (x_1^2 + k x_2^2)/2 beside the rescaled gradient flow and beside the second-order equation,
the order of every model, and the exponential attraction to the invariant manifold.
"""

from ...frame.stored import load as load
from .compute import compute as compute
from .draw import draw as draw
from .judge import judge as judge
