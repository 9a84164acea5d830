"""The command line sets jax's precision for its process; here that process has other tests to run."""

import jax
import pytest


@pytest.fixture(autouse=True)
def the_precision_of_the_other_tests():
    before = jax.config.jax_default_matmul_precision
    yield
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_default_matmul_precision", before)
