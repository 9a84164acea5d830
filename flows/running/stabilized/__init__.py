"""Explicit Runge-Kutta methods for mildly stiff equations with real negative spectra, as solvers of diffrax."""

from .rkc2 import RKC2 as RKC2
from .rock4 import ROCK4 as ROCK4
from .solver import Stabilized as Stabilized
