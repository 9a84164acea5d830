"""The command line changes settings of its process; here that process has other tests to run."""

import os

import jax
import pytest


@pytest.fixture(autouse=True)
def the_settings_of_the_other_tests():
    precision = jax.config.jax_default_matmul_precision
    environment = {name: os.environ.get(name) for name in ("NPROC", "XLA_FLAGS")}
    yield
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_default_matmul_precision", precision)
    for name, value in environment.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value
