"""What the tests of the landscapes share."""

import pytest
from jaxtyping import config


@pytest.fixture
def as_installed():
    """Without the type checks that run under pytest only: misuse then meets the errors that a user meets."""
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", False)
