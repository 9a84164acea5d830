"""Elkabetz and Cohen 2021, "Continuous vs. discrete optimization of deep neural networks": how far gradient descent is
from gradient flow, and the bound that the smallest eigenvalue of the Hessian along the way puts on it.

The paper runs fully connected and convolutional networks on 1000 images of MNIST with step sizes from 0.001 to a
twentieth of it, at equal times, and takes the smallest for gradient flow. Its theorem bounds the distance by the
integral of the local errors, each grown by exp of minus the integral of lambda_min; for deep linear networks from a
small balanced start it shows that lambda_min stays near 0, where in general the growth is exponential.

Here gradient flow is solved, and the bound stands beside the distance: fully connected networks without bias, cross
entropy, digits, then a deep linear network with one mode to learn from small balanced starts, and a saddle. Step sizes
are larger, as the sharpness is a few units. The networks' bounds are estimates in the sense of `divergence_bound`, the
saddle's are certificates. relu's Hessian is the one off its kinks; gradient descent keeps crossing them, and the
bound, though never below the distance, shrinks only like h^0.45 where the distance shrinks like h.
"""

from ...frame.stored import load as load
from .compute import compute as compute
from .draw import draw as draw
from .judge import judge as judge
