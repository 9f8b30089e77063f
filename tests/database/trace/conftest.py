"""The sample city, in which a person moves and another is deleted."""

import pytest

from tests.database.trace.city import ANNA, BERT, CHEN, row
from tests.support.memory_bus import MemoryCity


@pytest.fixture
def city() -> MemoryCity:
    """Anna lives inside Gusu and leaves it; Bert is deleted; Chen stays as he is."""
    found = MemoryCity()
    for id_, resident in ((1, ANNA), (2, BERT), (3, CHEN)):
        found.change("c", after=row(id_, resident))
    found.change("u", row(1, ANNA), row(1, ANNA, household_district="320505"))
    found.change("d", before=row(2, BERT))
    found.pump()
    return found
