"""Seven continuous-time models of heavy ball and of Nesterov's method on the same axes: no paper has this picture.

Logistic regression on digits, constant momentum, from rest: the error of each model against the learning rate, against
time, and against what it costs (default solver; a Hessian product counts as two gradients).
"""

from ...frame.stored import load as load
from .compute import compute as compute
from .draw import draw as draw
from .judge import judge as judge
