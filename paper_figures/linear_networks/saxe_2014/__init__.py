"""Saxe, McClelland and Ganguli 2014, "Exact solutions to the nonlinear dynamics of learning in deep linear neural
networks": the sigmoids by which a network of two weight matrices learns the modes of its data.

The paper solves gradient flow of linear networks whose modes start decoupled: a singular mode of the data, of
strength s, is learned along u' = 2 u (s - u), in a time inversely proportional to s. Small random starts nearly follow.

Shown here: gradient flow of the full matrices against these sigmoids, from decoupled and from small random starts;
where the delay of random starts comes from; gradient descent and its modified flow of order 2 beside both. What depth
costs is in the figure saxe_2014_depth.

Not as in the paper: the data are matrices with 5 chosen singular values and white inputs, not a hierarchy of 31 modes,
and there is no tanh network. The formula for the delay is ours.
"""

from ...frame.stored import load as load
from .compute import compute as compute
from .draw import draw as draw
from .judge import judge as judge
