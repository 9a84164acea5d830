"""Backward error analysis: the modified equations of the discrete methods."""

from .flow import ModifiedFlow as ModifiedFlow
from .loss import modified_loss as modified_loss, penalty as penalty
