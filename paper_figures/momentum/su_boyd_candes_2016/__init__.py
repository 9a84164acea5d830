"""Su, Boyd and Candes 2016, "A differential equation for modeling Nesterov's accelerated gradient method".

Their figure 1 on f = 0.02 x_1^2 + 0.005 x_2^2, the scaled error for several r, and speed restarting.
"""

from ...frame.stored import load as load
from .compute import compute as compute
from .draw import draw as draw
from .judge import judge as judge
