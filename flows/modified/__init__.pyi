"""Backward error analysis: the modified equations of the discrete methods, to any order."""

from .coefficients import coefficients as coefficients
from .iterates import IterateFlow as IterateFlow
from .leading_error import LeadingError as LeadingError
from .method_scheme import scheme_of as scheme_of
from .modified_flow import ModifiedFlow as ModifiedFlow
from .modified_loss import modified_loss as modified_loss, penalty as penalty
from .quadratic import convergence_radius as convergence_radius, slow_root as slow_root
from .rest import rest_coefficients as rest_coefficients
from .smoothness import third_derivative_vanishes as third_derivative_vanishes
