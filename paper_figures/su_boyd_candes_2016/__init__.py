"""Su, Boyd and Candes 2016, "A differential equation for modeling Nesterov's accelerated gradient method".

Their figure 1 on f = 0.02 x_1^2 + 0.005 x_2^2, the scaled error for several r, and speed restarting.
"""

from ..stored import load as load
from .claims import judge as judge
from .data import compute as compute
from .drawn import draw as draw
