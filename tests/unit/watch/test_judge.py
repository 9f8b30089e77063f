"""Which slots and connectors are worth an alarm, and when an alarm is told."""

from typing import Any

import pytest

from producers.restarter import Did, Look
from producers.slots import SlotReport
from services.watch.alarms import AlarmBook
from services.watch.judge import Alarm, AlarmKind, connector_alarms, remedy_of, slot_alarms

LIMIT = 1000


def slot(**changes: Any) -> SlotReport:
    values: dict[str, Any] = {
        "name": "govbus_police",
        "database": "police",
        "active": True,
        "wal_status": "reserved",
        "retained_bytes": 2000,
        "lag_bytes": 0,
        "safe_bytes": 5000,
    }
    return SlotReport(**values | changes)


@pytest.mark.parametrize(
    ("found", "wanted", "expected"),
    [
        (slot(), {"govbus_police"}, None),
        (slot(lag_bytes=LIMIT - 1), {"govbus_police"}, None),
        (slot(lag_bytes=LIMIT), {"govbus_police"}, AlarmKind.SLOT_LAG),
        (slot(wal_status="unreserved"), {"govbus_police"}, AlarmKind.SLOT_IN_DANGER),
        (slot(wal_status="extended"), {"govbus_police"}, None),
        (slot(wal_status="lost", retained_bytes=None, lag_bytes=None), {"govbus_police"}, AlarmKind.SLOT_GAP),
        (slot(retained_bytes=None), {"govbus_police"}, AlarmKind.SLOT_GAP),
        (slot(active=False), set(), AlarmKind.SLOT_ORPHANED),
        (slot(active=True), set(), None),
        (slot(active=False), {"govbus_police"}, None),
        (slot(active=False), None, None),
        # A gap is told even where the slot has no connector any more.
        (slot(active=False, wal_status="lost"), set(), AlarmKind.SLOT_GAP),
    ],
)
def test_slot_alarm(found: SlotReport, wanted: set[str] | None, expected: AlarmKind | None) -> None:
    alarms = list(slot_alarms("db:1", [found], wanted, LIMIT))
    assert [alarm.kind for alarm in alarms] == ([expected] if expected else [])
    assert all(alarm.remedy for alarm in alarms)


@pytest.mark.parametrize(("seconds", "raised"), [(14.9, False), (15.0, True)])
def test_a_slot_that_its_connector_does_not_read_for_long_is_told(seconds: float, raised: bool) -> None:
    idle = slot(active=False)
    alarms = slot_alarms("db:1", [idle], {idle.name}, LIMIT, {idle.name: seconds}, 15.0)
    assert [alarm.kind for alarm in alarms] == ([AlarmKind.SLOT_UNREAD] if raised else [])


def test_the_remedy_of_an_orphan_is_sql_that_quotes_the_name() -> None:
    (alarm,) = slot_alarms("db:1", [slot(name="govbus_o'x", active=False)], set(), LIMIT)
    assert alarm.remedy == "SELECT pg_drop_replication_slot('govbus_o''x');"


@pytest.mark.parametrize(
    ("look", "expected"),
    [
        (Look("c", Did.NOTHING), None),
        (Look("c", Did.RESTARTED), None),
        (Look("c", Did.RESTARTED, alarm=5, detail="why"), AlarmKind.CONNECTOR_FAILED),
        (Look("c", Did.WAITED, alarm=5), AlarmKind.CONNECTOR_FAILED),
        (Look("c", Did.WAITED), None),
        (Look("c", Did.NO_ANSWER, detail="HTTP 503"), AlarmKind.CONNECT_SILENT),
    ],
)
def test_connector_alarm(look: Look, expected: AlarmKind | None) -> None:
    assert [alarm.kind for alarm in connector_alarms([look])] == ([expected] if expected else [])


def test_an_alarm_is_told_once_when_it_rises_and_once_when_it_is_over() -> None:
    book = AlarmBook()
    lag = Alarm(AlarmKind.SLOT_LAG, "s", "1000 bytes behind")
    more = Alarm(AlarmKind.SLOT_LAG, "s", "2000 bytes behind")
    assert book.turn([lag]).raised == (lag,)
    again = book.turn([more])
    assert (again.raised, again.cleared) == ((), ())
    assert list(book.standing.values()) == [more]
    assert book.turn([]).cleared == (more,)
    book.turn([lag])
    assert book.raised[AlarmKind.SLOT_LAG] == 2


REFUSED = (
    "ConnectException: Tolerance exceeded in error handler (Caused by: RuleViolationException: Incompatible"
    " artifact: raw.police.public.person-value [AVRO], num of incompatible diffs: {2})"
)


@pytest.mark.parametrize(
    ("trace", "remedy"),
    [
        (REFUSED, "govbus accept-schema raw.police.public.person"),
        ("ConnectException: the publication is gone", "govbus logs connect"),
    ],
)
def test_the_remedy_of_a_failed_task_is_what_its_trace_asks_for(trace: str, remedy: str) -> None:
    assert remedy in remedy_of(trace)
    (alarm,) = connector_alarms([Look("capture.police", Did.WAITED, 5, trace)])
    assert remedy in alarm.remedy
