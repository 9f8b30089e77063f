"""A sink that cannot be compared is told as such: nobody takes silence for equality."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from services.control.access import Access, CaptureSource
from services.reconcile.bus import NotSettled
from services.reconcile.compare import Compared
from services.reconcile.opening import Opening
from services.reconcile.run import Reconciliation, Wish
from services.reconcile.sink import GrantTopic, compare_sink
from tests.support.memory_bus import MemoryCity
from topics.event import GrantId, ResourceId
from topics.sink import Sink

PERSONS = ResourceId("population.person.v1")
SINK = Sink(grant=GrantId("health-persons-gusu"), database="health_copy", table="public.person")
LOGIN = CaptureSource("localhost", 5432, "d", "u", "p")


@pytest.fixture
def city() -> MemoryCity:
    return MemoryCity()


def reconciliation(city: MemoryCity, logins: Mapping[str, CaptureSource]) -> Reconciliation:
    """Of the persons, with one sink, and these logins set."""
    database = city.policy.providers[city.policy.resources[PERSONS].resource.provider].database
    known = {str(database): LOGIN, **logins}
    access = SimpleNamespace(
        capture_source=known.get, admin=lambda: None, master_secret=lambda _version: bytes(32)
    )
    opening = Opening(cast(Access, access), city.lookup, city.policy, [SINK], lambda _text: None)
    return opening.reconciliation(PERSONS, Wish())


def test_a_sink_without_its_login_is_a_side_that_cannot_be_compared(city: MemoryCity, tmp_path: Path) -> None:
    made = reconciliation(city, {})
    [side] = made.sinks
    topic, decoder = GrantTopic(dict, lambda: iter(())), city.lookup.decoder
    # What a reconciliation tells as the trouble of a sink, and ends with 1 for.
    with pytest.raises(NotSettled, match=r"no login for its database is set here: .* health_copy"):
        list(compare_sink(side.table, topic, decoder, tmp_path, 1, Compared()))


def test_with_its_login_it_is_logged_in_to(city: MemoryCity) -> None:
    [side] = reconciliation(city, {"health_copy": LOGIN}).sinks
    assert side.table.source == LOGIN
