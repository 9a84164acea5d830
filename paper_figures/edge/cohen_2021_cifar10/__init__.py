"""Cohen, Kaur, Li, Kolter and Talwalkar 2021, "Gradient descent on neural networks typically occurs at the edge of
stability": their fully connected network with tanh on CIFAR-10, where its files are given.

The paper shows on 5,000 images that the sharpness rises until it reaches 2/h and stays there, while along gradient flow
it rises further, and that from then on the loss falls over long times only.

Here the network is theirs, 3072-200-200-10 with biases, square loss, on the first 1,000 images, each pixel
standardized. It is trained in the coordinates of the span of the images, which is the same run (see `in_input_span`).
Three learning rates have 2/h between the sharpness at the start, 54, and what gradient flow reaches; the control has it
above.

There are a fifth of the paper's images, and a shorter time; the start has the paper's scale, from another generator.
The plateau is 8 to 13 % above 2/h, higher than in the paper's curves and no transient: at h = 0.028 it is 12 % above in
the iterates averaged over their oscillation too.
"""

from ...frame.stored import load as load
from .compute import compute as compute, missing as missing
from .draw import draw as draw
from .judge import judge as judge
