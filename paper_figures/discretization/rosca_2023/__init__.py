"""Rosca, Wu, Qin and Dherin 2023, "On a continuous time model of gradient descent dynamics and instability in deep
learning": the principal flow beside gradient descent, gradient flow and the modified flows of order 2 and 3.

The paper replaces the series of the modified equation along the Hessian's eigenvectors by its sum, log(1 - h l)/(h l),
complex past h l = 1, and reads instability off its real part, on quadratics, small networks and large ones.

Here: its quadratic x_1^2 + x_2^2/100, a non-convex toy, and a 64-12-12-10 tanh network on 60 digits on its way into the
edge of stability, with the principal flow of order 2 along the top 3 eigenvectors.

Where they differ: before the edge, also past h l = 1, the iterates follow a slow course without oscillation; there the
principal flow is no better than the modified flow of order 2, and the gradient along the top eigenvector follows the
rest and not its own logarithm. At the start and at the edge, where it is not slaved, the paper's picture holds.
"""

from ...frame.stored import load as load
from .compute import compute as compute
from .draw import draw as draw
from .judge import judge as judge
