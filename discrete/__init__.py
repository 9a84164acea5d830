"""Discrete methods and the loop that runs them."""

from .from_optax import OptaxMethod as OptaxMethod, from_optax as from_optax
from .gradient_descent import GradientDescent as GradientDescent
from .heavy_ball import HeavyBall as HeavyBall
from .method import Method as Method
from .nesterov import (
    Nesterov as Nesterov,
    convex_momentum as convex_momentum,
    nesterov_convex as nesterov_convex,
    nesterov_strongly_convex as nesterov_strongly_convex,
)
from .nesterov_look_ahead import NesterovLookAhead as NesterovLookAhead
from .run import run as run
from .runge_kutta import RungeKutta as RungeKutta
from .trajectory import Cost as Cost, Trajectory as Trajectory
from .two_step import TwoStep as TwoStep
