"""Min, Tarmoun, Vidal and Mallada 2021, "On the explicit role of initialization on the convergence and implicit bias of
overparametrized linear networks": the imbalance of the layers sets how fast and where a linear network converges.

The paper trains Y = X U V' by gradient flow of 1/2 |Y - X U V'|^2. The imbalance U'U - V'V never changes; its spectrum
bounds the rate at which the loss falls; a start in a certain invariant set ends at the solution of least norm, and a
wide network with random weights starts near that set.

Shown here: the imbalance along gradient flow, gradient descent and its modified flow of order 2; the bound on the loss,
its constant derived anew (`landscapes.imbalance_rate`), from orthogonal and random starts; and the distance of the end
to the solution of least norm for widths up to 65,536.

Not as in the paper: the data are 3 examples of 6 inputs with 2 outputs; a wide network is run as one of 8 hidden units
that has the same product all along (`landscapes.narrowed`). What gradient descent does to the imbalance is ours.
"""

from ...frame.stored import load as load
from .compute import compute as compute
from .draw import draw as draw
from .judge import judge as judge
