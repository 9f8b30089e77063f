"""`govbus case show` says what stops the grant of a case that stays active: which order, by whom and why."""

from datetime import UTC, datetime
from typing import Any

from services.cli.case_stopped import wider_stops
from services.control.store.database import ControlDatabase
from services.control.store.snapshots import Kind, put
from tests.support.suspending import MemoryJournal
from topics.event import GrantId

GRANT = GrantId("case-1")
SEEN = datetime(2026, 3, 2, tzinfo=UTC)


def stop(id_: str, scope: str, name: str) -> dict[str, Any]:
    return {"id": id_, "scope": scope, "name": name, "reason": "breach", "since": SEEN.isoformat()}


def test_wider_suspensions_are_told_with_who_ordered_them_and_the_cases_own_is_not(
    control_database: ControlDatabase,
) -> None:
    held = [stop("s-1", "all", ""), stop("s-2", "consumer", "health"), stop("s-3", "grant", GRANT)]
    with control_database.begin() as connection:
        put(connection, Kind.GRANT, {GRANT: {"stops": held}}, SEEN)
    journal = MemoryJournal({"s-1": {"by": "li"}})
    with control_database.reading() as connection:
        found = wider_stops(connection, GRANT, journal)
        assert wider_stops(connection, GrantId("case-2"), journal) == []
    assert found == [{**held[0], "by": "li"}, {**held[1], "by": ""}]
