"""The portal with a bus in memory, over a real database."""

import pytest

from services.control.store.database import ControlDatabase
from tests.support.operating import Operated


@pytest.fixture
def portal(control_database: ControlDatabase) -> Operated:
    return Operated(control_database)
