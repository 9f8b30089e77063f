"""The city that end-to-end tests share."""

import pytest

from services.stack.api import Stack
from tests.e2e.live_city import LiveCity


@pytest.fixture(scope="session")
def city(stack: Stack) -> LiveCity:
    """The sample city on the session's stack, loaded and granted."""
    return LiveCity.found(stack)
