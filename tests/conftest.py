"""What every test shares: float64, no windows, and hypothesis without deadlines (compilation takes seconds)."""

import jax
import matplotlib as mpl
from hypothesis import settings

jax.config.update("jax_enable_x64", True)
mpl.use("Agg")
settings.register_profile("odescent", deadline=None, derandomize=True, max_examples=25)
settings.load_profile("odescent")
