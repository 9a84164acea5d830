"""The momentum equations of the literature, each in its own clock."""

from .bregman import Bregman as Bregman
from .energy import Energy as Energy, MechanicalEnergy as MechanicalEnergy
from .high_resolution import HighResolution as HighResolution, LowResolution as LowResolution
from .high_resolution_convex import HighResolutionConvex as HighResolutionConvex
from .invariant_manifold import InvariantManifold as InvariantManifold
from .kovachki_stuart import KovachkiStuart as KovachkiStuart
from .muehlebach_jordan import MuehlebachJordan as MuehlebachJordan
from .polyak import Polyak as Polyak
from .speed_restart import SpeedRestart as SpeedRestart
from .su_boyd_candes import SuBoydCandes as SuBoydCandes
