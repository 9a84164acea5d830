"""Damian, Nichani and Lee 2023, "Self-stabilization: the implicit bias of gradient descent at the edge of stability":
gradient descent past the edge beside its constrained trajectory and the displacement predicted from it.

The paper expands the loss to third order around a trajectory held at sharpness 2/h, gets a map for the displacement x
along the top eigenvector and the excess y of the sharpness, and shows networks on CIFAR-10 and SST-2 that follow it.

Here the map is run beside gradient descent on L = (2/h + y) x^2/2 - a y, where it is exact, and the full prediction
beside a small tanh network on scikit-learn's digits, square loss, while one direction is critical.

The paper follows many networks over whole trainings. Here it is one, once started within the edge and once before it,
where the first burst grows from the rounding of the iterates; what the prediction misses is counted in loops.
"""

from ...frame.stored import load as load
from .compute import compute as compute
from .draw import draw as draw
from .judge import judge as judge
