"""Every model of gradient descent past the edge of stability on one run: a scorecard that no paper has.

300 digits, a 64-20-20-10 tanh network, from step 100, compared with the averaged iterates
m_n = (x_{n-1} + 2 x_n + x_{n+1})/4 and with what the iterates do on average.
"""

from ...frame.stored import load as load
from .compute import compute as compute
from .draw import draw as draw
from .judge import judge as judge
