"""Azulay, Moroshko, Nacson, Woodworth, Srebro, Globerson and Soudry 2021, "On the implicit bias of initialization
shape: beyond infinitesimal mirror descent": the shape of the start chooses the interpolator, as its scale does.

The paper shows that gradient flow on unbalanced linear networks ends where a potential of scale and shape is least. For
diagonal networks theta = u_+ v_+ - u_- v_- both enter through sqrt(k) = 4 alpha (1 + s^2) / (1 - s^2) alone, with the
scale alpha = u v and the shape s = (u - v) / (u + v). For one linear neuron f = a w'x they enter through
delta = a^2 - |w|^2, which is conserved, though its flow is no mirror descent.

Shown here: the sparse regression of Woodworth et al. 2020 (3 of 40 unknowns, 20 examples), and a neuron with 15 inputs
and 6 examples. The ends of the flow meet the conditions of Karush, Kuhn and Tucker and agree with convex programs.

The paper is on the flow; gradient descent with finite steps is added here. Its end is, at every learning rate, the
exact minimizer of the neuron's potential with the delta that its steps have left.
"""

from ...frame.stored import load as load
from .compute import compute as compute
from .draw import draw as draw
from .judge import judge as judge
