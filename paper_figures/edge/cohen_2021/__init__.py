"""Cohen, Kaur, Li, Kolter and Talwalkar 2021, "Gradient descent on neural networks typically occurs at the edge of
stability": sharpness and loss for three learning rates, and when gradient descent parts from gradient flow.

The paper shows that the sharpness of networks on CIFAR-10 rises until it reaches 2/h and stays there, while along
gradient flow it rises further, and that from then on the loss falls over long times only.

Here the network is the MLP 64-32-32-10 with tanh on 500 of scikit-learn's digits, square loss. Three learning rates
have 2/h between the sharpness at the start, 12.9, and what gradient flow reaches; the control has it above.

The network is a hundred times smaller than the paper's; `cohen_2021_cifar10` has its size and its data.
"""

from ...frame.stored import load as load
from .compute import compute as compute
from .draw import draw as draw
from .judge import judge as judge
