"""Ways in as the doctor judges them: connectors with tasks, slots, heartbeats, provider databases."""

import pytest

from producers.connect_status import ConnectorStatus, TaskStatus
from producers.preflight import Level as PreflightLevel
from producers.preflight import PreflightFinding
from producers.slots import SlotReport
from services.control.definitions import load_definitions, packaged_definitions
from services.doctor.capture import (
    Captured,
    expectation,
    judge_connectors,
    judge_heartbeat,
    judge_preflight,
    judge_slots,
    judge_wal_level,
)
from services.doctor.finding import Level
from topics.event import ProviderId

POLICE = ProviderId("police")
NAME = "capture.police"


def status(state: str, *tasks: TaskStatus) -> ConnectorStatus:
    return ConnectorStatus(NAME, state, "worker", tasks)


def task(state: str, trace: str | None = None) -> TaskStatus:
    return TaskStatus(0, state, "worker", trace)


def test_running_with_a_failed_task_is_a_failure_with_the_reason() -> None:
    cause = "Caused by: PSQLException: password=topsecret refused for 11010519491231002X"
    trace = f"ConnectException: stopped\n{cause}"
    found = judge_connectors([status("RUNNING", task("FAILED", trace))], [NAME], [])
    assert [finding.level for finding in found] == [Level.OK, Level.FAILURE]
    assert "ConnectException: stopped" in found[1].seen
    assert "topsecret" not in found[1].seen
    assert "11010519491231002X" not in found[1].seen


@pytest.mark.parametrize(
    ("given", "level"),
    [
        (status("RUNNING", task("RUNNING")), Level.OK),
        (status("RUNNING"), Level.WARNING),
        (status("PAUSED", task("PAUSED")), Level.WARNING),
        (status("RUNNING", task("RESTARTING")), Level.WARNING),
        (status("RUNNING", task("UNASSIGNED")), Level.FAILURE),
        (status("UNASSIGNED", task("RUNNING")), Level.FAILURE),
        (status("RUNNING", task("UNHEARD_OF")), Level.FAILURE),
        (status("FAILED"), Level.FAILURE),
    ],
)
def test_the_worst_line_of_a_connector(given: ConnectorStatus, level: Level) -> None:
    found = judge_connectors([given], [NAME], [])
    assert max((finding.level for finding in found), key=list(Level).index) is level


@pytest.mark.parametrize(("has_secrets", "level"), [(True, Level.FAILURE), (False, Level.WARNING)])
def test_a_declared_capture_that_is_not_there(has_secrets: bool, level: Level) -> None:
    (finding,) = judge_connectors([], [], [Captured(POLICE, has_secrets)])
    assert (finding.level, finding.remedy) == (level, "govbus apply")
    assert judge_connectors([], [NAME], [Captured(POLICE, has_secrets)]) == []


@pytest.mark.parametrize(
    ("slot", "wanted", "level"),
    [
        (SlotReport("govbus_police", "p", True, "reserved", 9, 9, None), {"govbus_police"}, Level.OK),
        (SlotReport("govbus_police", "p", False, "reserved", 9, 9, None), {"govbus_police"}, Level.WARNING),
        (SlotReport("govbus_police", "p", False, "reserved", 9, 9, None), set(), Level.WARNING),
        (
            SlotReport("govbus_police", "p", True, "reserved", 9, 10**9, None),
            {"govbus_police"},
            Level.WARNING,
        ),
        (SlotReport("govbus_police", "p", True, "unreserved", 9, 9, 0), {"govbus_police"}, Level.FAILURE),
        (SlotReport("govbus_police", "p", False, "lost", None, None, None), {"govbus_police"}, Level.FAILURE),
    ],
)
def test_slot(slot: SlotReport, wanted: set[str], level: Level) -> None:
    (finding,) = judge_slots("db:1", [slot], wanted)
    assert finding.level is level
    assert bool(finding.remedy) is (level is not Level.OK)


def test_a_slot_that_a_connector_names_and_that_is_gone_is_a_failure() -> None:
    (finding,) = judge_slots("db:1", [], {"govbus_police"}, ["govbus_police"])
    assert finding.level is Level.FAILURE


@pytest.mark.parametrize(
    ("age", "level"),
    [
        (-1.0, Level.OK),
        (30.0, Level.OK),
        (30.1, Level.WARNING),
        (120.0, Level.WARNING),
        (120.1, Level.FAILURE),
        (None, Level.FAILURE),
    ],
)
def test_heartbeat(age: float | None, level: Level) -> None:
    assert judge_heartbeat(NAME, age, 5.0).level is level


@pytest.mark.parametrize(("value", "level"), [("logical", Level.OK), ("replica", Level.FAILURE)])
def test_wal_level(value: str, level: Level) -> None:
    assert judge_wal_level("db:1", value).level is level


def test_preflight_is_told_in_one_line_where_it_is_well_and_with_sql_where_not() -> None:
    found = judge_preflight(
        POLICE,
        [
            PreflightFinding(PreflightLevel.OK, "wal_level", "database police", "well"),
            PreflightFinding(PreflightLevel.OK, "select", "table person", "well"),
            PreflightFinding(
                PreflightLevel.REFUSE, "replica identity", "table person", "hides", "ALTER TABLE …;"
            ),
            PreflightFinding(PreflightLevel.WARN, "primary", "database police", "a standby"),
            PreflightFinding(
                PreflightLevel.WARN, "orphaned slot", "slot x", "told of the server", "SELECT 1;"
            ),
        ],
    )
    assert [finding.level for finding in found] == [Level.OK, Level.FAILURE, Level.WARNING]
    assert found[1].remedy == "ALTER TABLE …;"
    assert "police" in found[1].seen


def test_the_definitions_say_what_a_database_must_have() -> None:
    resources = load_definitions(packaged_definitions()).resources
    expected = expectation(POLICE, resources.values())
    (table,) = expected.tables
    assert (str(table.table), table.primary_key, table.identity_column) == (
        "public.person",
        ("id",),
        "id_number",
    )
    assert {"id", "id_number", "address"} <= set(table.columns)
    foreign = expectation(ProviderId("social_security"), resources.values()).tables[0]
    assert "name" in foreign.columns or any("name" in column for column in foreign.columns)
