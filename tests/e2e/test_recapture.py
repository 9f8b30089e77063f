"""A source that lost changes is said to have lost them, and captured anew under the next incarnation."""

from collections.abc import Callable
from contextlib import closing
from datetime import date
from typing import Any

import pytest

from producers.connect_client import ConnectClient
from producers.connector import connector_name, slot_name
from producers.debezium import incarnation_of
from producers.slots import SlotReport, slot_report
from services.cli.plan import access_of
from services.control.policy_topic import newest_policy
from services.control.recapture import forget
from tests.e2e.live_city import LiveCity, wait_until
from tests.e2e.people import number
from topics.event import ProviderId

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

SOCIAL = ProviderId("social_security")
NAME, SLOT = connector_name(SOCIAL), slot_name(SOCIAL)
ENROLMENT = "social.enrolment.v1"
RAW = "raw.social_security.public.enrolment"


def slot(city: LiveCity) -> SlotReport | None:
    with city.database(SOCIAL) as connection:
        return {report.name: report for report in slot_report(connection)}.get(SLOT)


def incarnation(city: LiveCity) -> int:
    policy = newest_policy(city.stack.kafka_config("admin"))
    assert policy is not None
    return policy.providers[SOCIAL].incarnation


def insert(city: LiveCity, row: int, status: str) -> None:
    columns = "id, id_number, insurance_type, enrolled_on, monthly_base, status, updated_at"
    values = (row, number(row % 90_000), "110", date(2020, 1, 1), "5000.00", status)
    statement = (
        f"INSERT INTO public.enrolment ({columns}) VALUES ({'%s, ' * 6} now())"
        " ON CONFLICT (id) DO UPDATE SET status = excluded.status"
    )
    city.execute(SOCIAL, (statement, values))


def away(city: LiveCity, client: ConnectClient) -> None:
    """The capture is not there: its connector stands, nobody reads its slot."""
    client.stop(NAME)
    wait_until(lambda: not client.status(NAME).tasks, "the tasks to end")
    wait_until(lambda: not (found := slot(city)) or not found.active, "nobody to read the slot")


def drop_slot(city: LiveCity) -> None:
    city.execute(SOCIAL, ("SELECT pg_drop_replication_slot(%s)", (SLOT,)))


def invalidate_slot(city: LiveCity) -> None:
    """PostgreSQL gives up slots that nobody reads; those that are read stay."""
    setting = "idle_replication_slot_timeout"
    with city.database(SOCIAL) as connection, connection.cursor() as cursor:
        connection.autocommit = True

        def is_lost() -> bool:
            cursor.execute("CHECKPOINT")
            found = slot(city)
            return found is not None and found.is_gap

        cursor.execute(f"ALTER SYSTEM SET {setting} = '1s'")
        try:
            cursor.execute("SELECT pg_reload_conf()")
            wait_until(is_lost, "the slot to be invalidated")
        finally:
            cursor.execute(f"ALTER SYSTEM RESET {setting}")
            cursor.execute("SELECT pg_reload_conf()")


def failures(report: dict[str, Any], check: str) -> list[dict[str, Any]]:
    return [each for each in report["findings"] if each["check"] == check and each["level"] == "failure"]


@pytest.mark.parametrize("lose", [drop_slot, pytest.param(invalidate_slot, marks=pytest.mark.soak)])
def test_a_lost_slot_is_a_gap_until_the_operator_captures_anew(
    city: LiveCity,
    command: Callable[..., tuple[int, dict[str, Any]]],
    lose: Callable[[LiveCity], None],
) -> None:
    kept, changed, added = city.new_id(), city.new_id(), city.new_id()
    insert(city, kept, "1")
    insert(city, changed, "1")
    city.settle(SOCIAL)
    before = incarnation(city)
    with city.nobody_recovers(), closing(access_of(city.stack).connect()) as client:
        away(city, client)
        lose(city)
        city.execute(SOCIAL, ("UPDATE public.enrolment SET status = '3' WHERE id = %s", (changed,)))
        insert(city, added, "2")

        code, plan = command("plan")
        assert any("govbus apply --recapture social_security" in note for note in plan["notes"])
        code, applied = command("apply")
        assert code == 1
        assert applied["held_back"][SOCIAL][0]["remedy"] == "govbus apply --recapture social_security"
        assert incarnation(city) == before
        assert not client.status(NAME).tasks
        code, report = command("doctor")
        assert code != 0
        assert any(SLOT in finding["seen"] for finding in failures(report, "slot"))

        code, applied = command("apply", "--recapture", SOCIAL)
        assert (code, applied["held_back"]) == (0, {})
        assert incarnation(city) == before + 1

    # The first may have come with the snapshot, before rows that lie behind it; the second comes after all.
    city.settle(SOCIAL)
    city.settle(SOCIAL)
    states = {
        row: [each["status"] for each in city.of_record(row, ENROLMENT).values()]
        for row in (kept, changed, added)
    }
    assert states == {kept: ["1"], changed: ["3"], added: ["2"]}
    carried = [incarnation_of(record.headers) for record in city.records(RAW)]
    assert {before, before + 1} <= set(carried)
    assert command("apply")[1]["steps"] == 0
    assert city.balance()["closed"]


def test_a_recapture_that_was_interrupted_is_finished_by_the_next_apply(
    city: LiveCity, command: Callable[..., tuple[int, dict[str, Any]]]
) -> None:
    row, access = city.new_id(), access_of(city.stack)
    source = access.capture_source(city.definitions.providers[ProviderId(SOCIAL)].database or "")
    assert source is not None
    with closing(access.connect()) as client:
        away(city, client)
        insert(city, row, "1")
        forget(client, ProviderId(SOCIAL), source)
        code, applied = command("apply")
        assert (code, set(applied["connectors"])) == (0, {NAME})
    city.settle(SOCIAL)
    city.settle(SOCIAL)
    assert [each["status"] for each in city.of_record(row, ENROLMENT).values()] == ["1"]
