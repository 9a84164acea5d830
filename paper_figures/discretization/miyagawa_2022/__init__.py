"""Miyagawa 2022, "Toward equation of motion for deep neural networks: continuous-time gradient descent and
discretization error analysis": counter terms, the error they leave, and layers that do not see scale or translation.

The paper adds a counter term h xi_0 + h^2 xi_1 + ..., xi_0 = (1/2) H g, to gradient flow, so that the solution passes
through gradient descent to any order, and reads off what gradient flow misses on layers invariant to scale or shift.

Here: a 64-8-10 network on 100 digits whose hidden weights enter as w/|w|, with cross-entropy, with and without weight
decay; and a loss of constant torque, L = angle(w), whose weight decay has an equilibrium in closed form.

Where they differ: the paper trains larger networks; at the equilibrium h/|w|^2 is of the order of the decay, not of h,
so that the equation of motion with k counter terms gains no order there, only the leading term.
"""

from ...frame.stored import load as load
from .compute import compute as compute
from .draw import draw as draw
from .judge import judge as judge
