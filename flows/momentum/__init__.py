"""Second-order equations: the momentum ODEs of the literature, each in its own clock."""

from .high_resolution import HighResolution as HighResolution, LowResolution as LowResolution
from .kovachki_stuart import KovachkiStuart as KovachkiStuart
from .su_boyd_candes import SuBoydCandes as SuBoydCandes
