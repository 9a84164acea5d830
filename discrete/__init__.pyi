"""Discrete methods and the loop that runs them."""

from . import (
    adaptive as adaptive,
    descent as descent,
    momentum as momentum,
    running as running,
    traits as traits,
    views as views,
)
from .adaptive.rmsprop import RMSProp as RMSProp, ScalarRMSProp as ScalarRMSProp
from .descent.gradient_descent import GradientDescent as GradientDescent
from .descent.runge_kutta import RungeKutta as RungeKutta
from .method import Method as Method
from .momentum.bregman_leapfrog import bregman_leapfrog as bregman_leapfrog
from .momentum.classical_momentum import (
    ConvexMomentum as ConvexMomentum,
    convex_momentum as convex_momentum,
    heavy_ball_strongly_convex as heavy_ball_strongly_convex,
    nesterov_convex as nesterov_convex,
    nesterov_convex_look_ahead as nesterov_convex_look_ahead,
    nesterov_strongly_convex as nesterov_strongly_convex,
    nesterov_strongly_convex_look_ahead as nesterov_strongly_convex_look_ahead,
)
from .momentum.heavy_ball import HeavyBall as HeavyBall
from .momentum.momentum_method import MomentumMethod as MomentumMethod
from .momentum.muehlebach_jordan import muehlebach_jordan as muehlebach_jordan
from .momentum.nesterov import Nesterov as Nesterov
from .momentum.nesterov_look_ahead import NesterovLookAhead as NesterovLookAhead
from .momentum.restarted_nesterov import RestartedNesterov as RestartedNesterov
from .momentum.symplectic_euler import SymplecticEuler as SymplecticEuler
from .momentum.two_step import TwoStep as TwoStep
from .quadratic_mode import Mode as Mode, mode as mode, oscillating_range as oscillating_range
from .running.members import Members as Members
from .running.run import run as run
from .running.status import Status as Status
from .running.step import Oracle as Oracle, take_step as take_step
from .running.trajectory import Cost as Cost, Trajectory as Trajectory
from .sampling import FullBatch as FullBatch, Sampling as Sampling
from .schedule import Schedule as Schedule
from .views.from_optax import OptaxMethod as OptaxMethod, from_optax as from_optax
from .views.time_averaged import TimeAveraged as TimeAveraged
