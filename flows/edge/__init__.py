"""Models of training at and beyond the edge of stability."""

from .central import CentralFlow as CentralFlow, CentralState as CentralState
from .edge_flow import EdgeFlow as EdgeFlow, Parities as Parities
from .principal import PrincipalFlow as PrincipalFlow, PrincipalState as PrincipalState
from .rod import RodFlow as RodFlow, RodState as RodState
from .self_stabilization import SelfStabilization as SelfStabilization, Stabilized as Stabilized
from .stable import StableFlow as StableFlow, Still as Still
