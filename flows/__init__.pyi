"""Continuous-time models of discrete methods."""

from . import edge as edge, modified as modified, momentum as momentum, running as running
from .edge import (
    CentralFlow as CentralFlow,
    EdgeFlow as EdgeFlow,
    PrincipalFlow as PrincipalFlow,
    RodFlow as RodFlow,
    SelfStabilization as SelfStabilization,
    StableFlow as StableFlow,
)
from .flow import Claimed as Claimed, FieldCost as FieldCost, Flow as Flow, Start as Start
from .gradient_flow import GradientFlow as GradientFlow
from .modified import (
    IterateFlow as IterateFlow,
    LeadingError as LeadingError,
    ModifiedFlow as ModifiedFlow,
    modified_loss as modified_loss,
)
from .momentum import (
    Bregman as Bregman,
    Energy as Energy,
    HighResolution as HighResolution,
    HighResolutionConvex as HighResolutionConvex,
    InvariantManifold as InvariantManifold,
    KovachkiStuart as KovachkiStuart,
    LowResolution as LowResolution,
    MechanicalEnergy as MechanicalEnergy,
    MuehlebachJordan as MuehlebachJordan,
    Polyak as Polyak,
    SpeedRestart as SpeedRestart,
    SuBoydCandes as SuBoydCandes,
)
from .running.integrator import (
    Integrator as Integrator,
    explicit as explicit,
    stabilized as stabilized,
    stiff as stiff,
)
from .running.ode import ODEFlow as ODEFlow
from .running.sde import SDEFlow as SDEFlow
from .running.solve import solve as solve
from .running.stepped import SteppedFlow as SteppedFlow, Work as Work
