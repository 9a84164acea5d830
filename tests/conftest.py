"""What every test shares: float64, no windows, and hypothesis without deadlines (compilation takes seconds)."""

import gc
import os
from pathlib import Path

import jax
import matplotlib as mpl
import pytest
from hypothesis import settings
from jax.experimental.compilation_cache import compilation_cache

# Tracing makes many objects that live on: to look through the young ones after every 700 takes a tenth of all the time.
gc.set_threshold(100_000, 20, 20)

MAPS, MOST_MAPS = Path("/proc/self/maps"), 20_000

jax.config.update("jax_enable_x64", True)
mpl.use("Agg")
settings.register_profile("odescent", deadline=None, derandomize=True, max_examples=25)
settings.load_profile("odescent")


@pytest.fixture(scope="session", autouse=True)
def compiled_once(tmp_path_factory):
    """A program that is built again is compiled once: of other closures, after caches were cleared, in a subprocess.

    Each worker has a folder of its own, as JAX does not write whole files there.
    """
    found = {
        "jax_compilation_cache_dir": str(tmp_path_factory.mktemp("compiled")),
        "jax_persistent_cache_min_compile_time_secs": 0,
        "jax_persistent_cache_min_entry_size_bytes": -1,
    }
    for name, value in found.items():
        jax.config.update(name, value)
        os.environ[name.upper()] = str(value)
    # What was compiled while tests were collected has told JAX that there is no folder.
    compilation_cache.reset_cache()


@pytest.fixture(scope="module", autouse=True)
def few_memory_maps():
    """Forget compiled programs in time: Linux allows 65,530 memory maps, and XLA's compiler crashes beyond them."""
    yield
    if MAPS.exists() and MAPS.read_bytes().count(b"\n") > MOST_MAPS:
        jax.clear_caches()
        gc.collect()
