"""Cohen, Kaur, Li, Kolter and Talwalkar 2021, "Gradient descent on neural networks typically occurs at the edge of
stability": the thresholds of heavy ball and of Nesterov's method.

The paper derives that on a quadratic heavy ball diverges exactly where the sharpness exceeds (2 + 2b)/h, Nesterov's
method where it exceeds (2 + 2b)/((1 + 2b) h), and shows that on CIFAR-10 the sharpness rises to these values.

Here both run on quadratics 1 % below and 1 % above, and train the MLP 64-32-32-10 with tanh on 500 of scikit-learn's
digits, square loss, at two momenta each.

The paper reports Nesterov's look-ahead points, here it is the x of v <- b v - h grad L(x + b v), x <- x + v: the same
run in other coordinates.
"""

from ...frame.stored import load as load
from .compute import compute as compute
from .draw import draw as draw
from .judge import judge as judge
