"""Cohen, Damian, Talwalkar, Kolter and Lee 2025, "Understanding optimization in deep learning with central flows":
the central flow beside gradient descent, scalar RMSProp and RMSProp.

The paper derives, for each method, a flow of the iterates averaged over their oscillation, with the covariance that the
oscillation must have, and shows on CNNs, ResNets, transformers and MLPs that both predict full-batch training.

Here the three methods train a 64-20-20-10 tanh network on 300 of scikit-learn's digits, square loss, each beside its
central flow and its stable flow, which knows of no oscillation.

The networks here are a thousand times smaller and the runs shorter. The adaptive methods have bias correction, which
the paper's have not, and are followed from where they have taken their first steps, which no flow describes.
"""

from ...frame.stored import load as load
from .compute import compute as compute
from .draw import draw as draw
from .judge import judge as judge
