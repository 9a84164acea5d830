"""Shi, Du, Jordan and Su 2021, "Understanding the acceleration phenomenon via high-resolution differential equations".

Their two-dimensional example, on which the low-resolution equation cannot tell Nesterov's method (NAG-SC) from heavy
ball; the orders of the equations with the published and the corrected start; energies; and NAG-C.
"""

from ...frame.stored import load as load
from .compute import compute as compute
from .draw import draw as draw
from .judge import judge as judge
