import pytest
from jaxtyping import config


@pytest.fixture
def untyped():
    """Without the type checks of the test run, so that the package's own refusal is seen."""
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", False)
