"""Smith, Dherin, Barrett and De 2021, "On the origin of implicit regularization in stochastic gradient descent": the
mean of an epoch over all its orders, and the flow that it follows.

The paper shows that with random reshuffling the mean iterate after an epoch of m batches follows the flow of
C + (h/(4m)) sum_k |grad C_k|^2 = C + (h/4) |grad C|^2 + (h/(4m)) sum_k |grad C_k - grad C|^2 up to O(m^3 h^3), and that
the last term grows like h/B for small batches of B examples.

Here nothing is sampled: 8 of scikit-learn's digits in m = 4 batches, all 4! orders of an epoch (and, as a control, all
4^4 sequences of independent draws) of a small tanh network; many epochs of a linear one, whose mean over independent
orders is exact from epoch to epoch; and all subsets of B examples for the variance of a batch's gradient.

Where they differ: the paper trains a Wide-ResNet on CIFAR-10 with large learning rates and compares test accuracies;
here the epoch is short, m h S well below 1, as its theorem asks.
"""

from ...frame.stored import load as load
from .compute import compute as compute
from .draw import draw as draw
from .judge import judge as judge
