"""Saxe, McClelland and Ganguli 2014, "Exact solutions to the nonlinear dynamics of learning in deep linear neural
networks", sections 2 and 3: what depth costs.

The paper finds that with d weight matrices a mode of a decoupled start follows u' = d u^(2 - 2/d) (s - u), that the
best learning rate falls like 1/depth, and that with it depth costs a finite number of iterations where the start is
decoupled or orthogonal, but ever more where it is Gaussian.

Shown here: gradient flow of full matrices, d = 3 and 5, against the closed form of the time; iterations of gradient
descent of one decoupled mode up to d = 1000, where all weights stay alike; iterations from orthogonal and from Gaussian
matrices, 16 wide, up to d = 32, at the best of several rates.

Not as in the paper: no MNIST, but matrices with chosen singular values and white inputs, which are learned in tens of
iterations; and depth is counted in weight matrices d, while the paper's layers are d + 1.
"""

from ...frame.stored import load as load
from .compute import compute as compute
from .draw import draw as draw
from .judge import judge as judge
