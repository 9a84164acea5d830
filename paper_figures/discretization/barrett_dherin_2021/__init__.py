"""Barrett and Dherin 2021, "Implicit gradient regularization": the flow of L + (h/4) |grad L|^2, and what follows.

The paper shows by backward error analysis that gradient descent follows the flow of E + lambda R_IG, with
lambda = h m/4 and R_IG = |grad E|^2 / m for m parameters. So larger learning rates should lead to smaller gradients and
flatter minima, and the same term added to the loss at a small learning rate should do what the large one does.

Here: the orders and the coefficient 1/4 on the paper's model E = (y - a b)^2/2, its paths, and how flat they end; then
a small tanh network on scikit-learn's digits, full batch, compared at equal loss, and the explicit term at equal time.

Where they differ: the paper trains larger networks on MNIST and CIFAR-10 and reports test errors and robustness to
perturbed weights, which are not looked at here; its second start of the 2-D model, (75, 74.925), is left out. With the
square loss (full size only) the sharpness falls too, but late in training R_IG at equal loss rises from one of the
starts, by 0.06 %: there the effect of first order vanishes, and that of second order in h is no regularizer.
"""

from ...frame.stored import load as load
from .compute import compute as compute
from .draw import draw as draw
from .judge import judge as judge
