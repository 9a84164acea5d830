"""What every test shares: float64, no windows, and hypothesis without deadlines (compilation takes seconds)."""

import gc
from pathlib import Path

import jax
import matplotlib as mpl
import pytest
from hypothesis import settings

MAPS, MOST_MAPS = Path("/proc/self/maps"), 20_000

jax.config.update("jax_enable_x64", True)
mpl.use("Agg")
settings.register_profile("odescent", deadline=None, derandomize=True, max_examples=25)
settings.load_profile("odescent")


@pytest.fixture(scope="module", autouse=True)
def few_memory_maps():
    """Forget compiled programs in time: Linux allows 65,530 memory maps, and XLA's compiler crashes beyond them."""
    yield
    if MAPS.exists() and MAPS.read_bytes().count(b"\n") > MOST_MAPS:
        jax.clear_caches()
        gc.collect()
