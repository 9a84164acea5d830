"""Discrete methods and the loop that runs them."""

from .bregman_leapfrog import bregman_leapfrog as bregman_leapfrog
from .classical_momentum import (
    ConvexMomentum as ConvexMomentum,
    convex_momentum as convex_momentum,
    heavy_ball_strongly_convex as heavy_ball_strongly_convex,
    nesterov_convex as nesterov_convex,
    nesterov_convex_look_ahead as nesterov_convex_look_ahead,
    nesterov_strongly_convex as nesterov_strongly_convex,
    nesterov_strongly_convex_look_ahead as nesterov_strongly_convex_look_ahead,
)
from .from_optax import OptaxMethod as OptaxMethod, from_optax as from_optax
from .gradient_descent import GradientDescent as GradientDescent
from .heavy_ball import HeavyBall as HeavyBall
from .method import Method as Method
from .momentum_method import MomentumMethod as MomentumMethod
from .muehlebach_jordan import muehlebach_jordan as muehlebach_jordan
from .nesterov import Nesterov as Nesterov
from .nesterov_look_ahead import NesterovLookAhead as NesterovLookAhead
from .quadratic_mode import Mode as Mode, mode as mode, oscillating_range as oscillating_range
from .restarted_nesterov import RestartedNesterov as RestartedNesterov
from .rmsprop import RMSProp as RMSProp, ScalarRMSProp as ScalarRMSProp
from .run import run as run
from .runge_kutta import RungeKutta as RungeKutta
from .symplectic_euler import SymplecticEuler as SymplecticEuler
from .time_averaged import TimeAveraged as TimeAveraged
from .trajectory import Cost as Cost, Trajectory as Trajectory
from .two_step import TwoStep as TwoStep
