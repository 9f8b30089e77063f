"""A provider changes its table while changes flow: every kind has one outcome, and nothing is lost."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from typer.testing import CliRunner

from producers.connect_client import ConnectClient
from producers.connect_status import ConnectorStatus
from producers.connector import connector_name
from schemas.registry import RegistryCredentials, SchemaRegistry
from services.cli.main import app
from services.cli.plan import access_of
from services.doctor.checkup import checkup
from services.doctor.finding import Finding, Level
from services.doctor.patient import Patient
from services.stack.probes import loopback_session
from tests.e2e.live_city import PATIENCE_SECONDS, LiveCity, wait_until
from tests.e2e.people import Statement, number
from tests.support.waiting import eventually
from tests.support.watching import start_watch, without_watch
from topics.event import ProviderId, TopicName
from topics.names import value_subject

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

SOCIAL = ProviderId("social_security")
NAME = connector_name(SOCIAL)
ENROLMENT = "social.enrolment.v1"
RAW = TopicName("raw.social_security.public.enrolment")
NUMBER = "the record does not fit social.enrolment.v1.avsc: status has another type"


def insert(row: int, **columns: Any) -> Statement:
    """An enrolment."""
    values = {
        "id": row,
        "id_number": number(row % 90_000),
        "insurance_type": "110",
        "enrolled_on": date(2020, 1, 1),
        "monthly_base": "5000.00",
        "status": "1",
        "updated_at": "2026-01-01 00:00:00",
        **columns,
    }
    places = ", ".join(["%s"] * len(values))
    return f"INSERT INTO public.enrolment ({', '.join(values)}) VALUES ({places})", tuple(values.values())


def update(row: int, **columns: Any) -> Statement:
    """A change of it."""
    changes = ", ".join(f"{name} = %s" for name in columns)
    return f"UPDATE public.enrolment SET {changes} WHERE id = %s", (*columns.values(), row)


def alter(change: str) -> Statement:
    """A change of the table."""
    return f"ALTER TABLE public.enrolment {change}", ()


def canonical(city: LiveCity, row: int, item: str) -> Any:
    """An item of the row's canonical state."""
    [state] = city.of_record(row, ENROLMENT).values()
    return state[item]


def after(envelope: Any) -> dict[str, Any]:
    """The row after the change."""
    found: dict[str, Any] = (envelope or {}).get("after") or {}
    return found


def stopped(city: LiveCity, row: int) -> list[tuple[str, str]]:
    """Reason and detail of every stopped change of the row, oldest first."""
    with city.story.lookup() as lookup:
        keys = {record.key for record in city.records(RAW) if after(lookup.value(record)).get("id") == row}
    return [(entry.reason, entry.detail) for entry in city.quarantined(SOCIAL) if entry.raw.key in keys]


def doctor(city: LiveCity, check: str, about: str) -> list[Finding]:
    """What the doctor says of that check about that thing."""
    patient = Patient(city.stack, access_of(city.stack), city.definitions, tuple(city.stack.status()))
    return [each for each in checkup(patient).findings if each.check == check and about in each.seen]


def capture(city: LiveCity) -> ConnectorStatus:
    """How the capture is."""
    url, auth = city.stack.endpoints().connect_url, city.stack.connect_auth()
    return ConnectClient(url, *auth, session=loopback_session()).status(NAME)


@pytest.fixture
def alarms(city: LiveCity) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What the watch has to say of the capture; one that tells after the first restart that did not help."""

    def standing() -> list[dict[str, Any]]:
        with loopback_session() as session:
            address = f"http://127.0.0.1:{city.stack.settings.watch_port}/status"
            return [
                each for each in session.get(address, timeout=5).json()["alarms"] if each["subject"] == NAME
            ]

    with without_watch(city.stack):
        start_watch(city.stack, alarm_after="1", interval_s="1")
        yield standing


def test_dropping_a_column_that_no_resource_uses_stops_nothing(city: LiveCity) -> None:
    row = city.new_id()
    city.execute(SOCIAL, alter("ADD COLUMN remark text"), insert(row, remark="x"))
    city.execute(SOCIAL, update(row, status="2"))
    city.execute(SOCIAL, alter("DROP COLUMN remark"), update(row, status="3"))
    city.settle(SOCIAL)
    assert canonical(city, row, "status") == "3"
    assert stopped(city, row) == []
    assert not capture(city).has_failed
    assert doctor(city, "columns", SOCIAL) == []
    assert city.balance()["differences"] == []


@pytest.mark.requirement("A5-08")
def test_dropping_a_column_that_a_resource_uses_stops_every_change_until_it_is_back(city: LiveCity) -> None:
    row, other = city.new_id(), city.new_id()
    city.execute(SOCIAL, insert(row), insert(other))
    city.execute(SOCIAL, ("CREATE TABLE public.kept AS SELECT id, monthly_base FROM public.enrolment", ()))
    city.execute(SOCIAL, alter("DROP COLUMN monthly_base"), update(row, status="2"))
    city.settle(SOCIAL)
    try:
        assert stopped(city, row) == [("ITEM_MISSING", "the row has no column monthly_base")]
        assert canonical(city, row, "status") == "1", "no state without the item replaces one that has it"
        assert not capture(city).has_failed, "the capture goes on; what it brings is kept with its bytes"
        (finding,) = [each for each in doctor(city, "columns", SOCIAL) if each.level is Level.FAILURE]
        assert "monthly_base" in finding.seen
        assert "touch the rows" in finding.remedy
    finally:
        back = "UPDATE public.enrolment AS e SET monthly_base = k.monthly_base FROM public.kept AS k"
        city.execute(
            SOCIAL,
            alter("ADD COLUMN monthly_base numeric(12, 2)"),
            (f"{back} WHERE k.id = e.id", ()),
            ("DROP TABLE public.kept", ()),
        )
    city.settle(SOCIAL)
    assert (canonical(city, row, "status"), canonical(city, row, "monthly_base")) == ("2", "5000.00")
    assert canonical(city, other, "monthly_base") == "5000.00"
    assert [each.level for each in doctor(city, "columns", SOCIAL)] == []
    assert city.balance()["differences"] == []


@pytest.mark.requirement("A4-01")
def test_another_type_of_a_column_fails_the_capture_until_the_schema_is_accepted(
    city: LiveCity, alarms: Callable[[], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    row, before = city.new_id(), city.new_id()
    city.execute(SOCIAL, insert(row), insert(before))
    city.settle(SOCIAL)
    city.execute(SOCIAL, alter("ALTER COLUMN status TYPE integer USING status::integer"))
    city.execute(SOCIAL, update(row, status=2))
    city.execute(SOCIAL, alter("ALTER COLUMN status TYPE text USING status::text"))
    city.execute(SOCIAL, update(row, status="3"), update(before, status="2"))
    wait_until(lambda: "RuleViolationException" in str(capture(city).tasks), "the registry to refuse")
    (alarm,) = eventually(alarms, PATIENCE_SECONDS, lambda: "the watch to tell")
    assert alarm["kind"] == "connector-failed"
    assert f"govbus accept-schema {RAW}" in alarm["remedy"]
    # Between two looks the watch may have it running again for a moment.
    wait_until(lambda: doctor_names_the_command(city), "the doctor to meet it failed and to say the same")
    assert canonical(city, row, "status") == "1", "nothing of it has come"
    accept(city, monkeypatch)
    city.settle(SOCIAL)
    assert (canonical(city, row, "status"), canonical(city, before, "status")) == ("3", "2")
    assert captured(city, row) == ["1", 2, "3"], "each change once, also the one with the other type"
    assert stopped(city, row) == [("DOES_NOT_FIT_SCHEMA", NUMBER)], "a number is not text; it is kept"
    wait_until(lambda: alarms() == [], "the alarm to be over")
    auth = city.stack.registry_auth("apply")
    registry = SchemaRegistry(RegistryCredentials(city.stack.endpoints().registry_url, *auth))
    assert not registry.is_compatible(value_subject(RAW), {"type": "string"})[0], "the check is back"
    assert city.balance()["differences"] == []


def doctor_names_the_command(city: LiveCity) -> bool:
    """Whether a failure of the capture is told with what lets the schema through."""
    failures = [each for each in doctor(city, "connector", NAME) if each.level is Level.FAILURE]
    return any(f"govbus accept-schema {RAW}" in each.remedy for each in failures)


def accept(city: LiveCity, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the alarm says."""
    for name, value in city.stack.settings.model_dump(exclude_none=True).items():
        monkeypatch.setenv(f"GOVBUS_{name.upper()}", str(value))
    done = CliRunner().invoke(app, ["accept-schema", RAW])
    assert done.exit_code == 0, done.output


def captured(city: LiveCity, row: int) -> list[Any]:
    """The row's status in every captured change, in order."""
    with city.story.lookup() as lookup:
        rows = [after(lookup.value(record)) for record in city.records(RAW)]
    return [each["status"] for each in rows if each.get("id") == row]
