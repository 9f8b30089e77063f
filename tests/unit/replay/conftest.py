"""The city that replays are tried on."""

import pytest

from tests.support.memory_bus import MemoryCity
from tests.support.replaying import corrected_city


@pytest.fixture
def city() -> MemoryCity:
    """Corrections, a stopped key, a release of nothing, published versions, and a policy in the middle."""
    return corrected_city()
