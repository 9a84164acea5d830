"""Woodworth, Gunasekar, Lee, Moroshko, Savarese, Golan, Soudry and Srebro 2020, "Kernel and rich regimes in
overparametrized models": which interpolator a diagonal linear network finds, from its scale and its depth.

The paper shows that gradient flow on theta = u^D - v^D, started at u = v = alpha, ends at the interpolator of least
Q(theta) = sum alpha^D q_D(theta / alpha^D): of least l2 norm for large alpha (the kernel regime), of least l1 norm for
small alpha (the rich one), and that the change between them is sharper for deeper networks.

Shown here: sparse regression, 3 of 40 unknowns, 20 examples, D = 2, 3 and 4. The ends of the flow meet the conditions
of Karush, Kuhn and Tucker and agree with convex programs that are solved without a flow. Then the ends of gradient
descent and of heavy ball, which minimize a Q of their own.

The paper has 1000 unknowns, 100 noisy examples and no discrete method. Here the examples are free of noise, so that the
interpolator of least l1 norm is the truth, and the rates at which both regimes are approached are known.
"""

from ...frame.stored import load as load
from .compute import compute as compute
from .draw import draw as draw
from .judge import judge as judge
