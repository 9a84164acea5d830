"""Cohen, Kaur, Li, Kolter and Talwalkar 2021, "Gradient descent on neural networks typically occurs at the edge of
stability": a network with one input, fitted to a Chebyshev polynomial, gets there too.

The paper fits polynomials of degrees 3, 4 and 5 at 20 points: the sharpness rises to 2/h without a large network and
without much data.

Here it is the paper's network, 1-100-1 with tanh, square loss, under gradient descent beside gradient flow, and also
under heavy ball and Nesterov's method, which the paper has on CIFAR-10.

The start comes from another generator, so that crossing steps agree in size only. At b = 0.9 the picture is not the
paper's: a crossing can throw the sharpness to 0.4 of the threshold, and it takes thousands of steps to return.
"""

from ...frame.stored import load as load
from .compute import compute as compute
from .draw import draw as draw
from .judge import judge as judge
