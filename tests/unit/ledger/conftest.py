"""The sample city in memory."""

import pytest

from tests.support.memory_bus import MemoryCity


@pytest.fixture
def city() -> MemoryCity:
    return MemoryCity()
